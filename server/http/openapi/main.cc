// Writes openapi.json when the server is built:
//
//   openapi DESCRIPTORS VERSION OUTPUT     DESCRIPTORS is a FileDescriptorSet of protoc
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "server/http/openapi/openapi.h"

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv, argv + argc);
  if (words.size() != 4) {
    std::fputs("usage: openapi DESCRIPTORS VERSION OUTPUT\n", stderr);
    return 2;
  }
  google::protobuf::FileDescriptorSet files;
  std::ifstream input(words[1], std::ios::binary);
  if (!files.ParseFromIstream(&input)) {
    std::fprintf(stderr, "openapi: %s is no FileDescriptorSet\n", words[1].c_str());
    return 1;
  }
  google::protobuf::DescriptorPool pool;
  std::vector<const google::protobuf::ServiceDescriptor*> services;
  for (const google::protobuf::FileDescriptorProto& file : files.file()) {
    const google::protobuf::FileDescriptor* built = pool.BuildFile(file);
    if (built == nullptr) return 1;  // protobuf has said why
    for (int i = 0; i < built->service_count(); ++i) services.push_back(built->service(i));
  }
  std::ofstream output(words[3]);
  output << potok::server::OpenApi(services, words[2]) << "\n";
  output.close();
  return output.good() ? 0 : 1;
}
