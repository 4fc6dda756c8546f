#include "server/http/openapi/openapi.h"

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "server/http/openapi/json_writer.h"

namespace potok::server {
namespace {

namespace pb = google::protobuf;
using ::testing::HasSubstr;
using ::testing::Not;

const char* const kProto = R"(
syntax = "proto3";
package a;
// Things.
service Things {
  // Gives one. Waits for nothing.
  rpc Get(Request) returns (Thing);
  rpc Watch(Request) returns (stream Thing);
  rpc Talk(stream Request) returns (stream Thing);
}
message Request { string name = 1; }
// A "thing".
message Thing {
  int64 size_bytes = 1;  // in bytes
  repeated Kind kinds = 2;
  map<string, Thing> parts = 3;
  oneof value { bytes data = 4; double number = 5; }
}
enum Kind { KIND_UNSPECIFIED = 0; KIND_GOOD = 1;  // the good one
}
)";

// As the build does it: protoc keeps the comments, which the descriptors of a program lack.
std::string Document() {
  std::string pattern = ::testing::TempDir() + "openapi-XXXXXX";
  const std::string folder = mkdtemp(pattern.data());
  std::ofstream(folder + "/a.proto") << kProto;
  const std::string protoc = "protoc --include_source_info --descriptor_set_out=" + folder +
                             "/a.descriptors -I" + folder + " a.proto";
  EXPECT_EQ(std::system(protoc.c_str()), 0);
  std::ifstream input(folder + "/a.descriptors", std::ios::binary);
  pb::FileDescriptorSet files;
  EXPECT_TRUE(files.ParseFromIstream(&input));
  std::filesystem::remove_all(folder);
  pb::DescriptorPool pool;
  const pb::FileDescriptor* file = pool.BuildFile(files.file(0));
  return OpenApi({file->service(0)}, "1.2");
}

TEST(OpenApiTest, HasAPathForEveryMethodThatHttpCanCarry) {
  const std::string document = Document();
  EXPECT_THAT(document, HasSubstr(R"("/a.Things/Get":{"post":{"operationId":"Things.Get")"));
  EXPECT_THAT(document, HasSubstr(R"("/a.Things/Watch")"));
  EXPECT_THAT(document, Not(HasSubstr("Talk")));
}

TEST(OpenApiTest, StreamsAreLines) {
  EXPECT_THAT(
      Document(),
      HasSubstr(R"("application/x-ndjson":{"schema":{"$ref":"#/components/schemas/a.Thing"})"));
}

TEST(OpenApiTest, CommentsAreDescriptions) {
  const std::string document = Document();
  EXPECT_THAT(document, HasSubstr(R"("summary":"Gives one")"));
  EXPECT_THAT(document, HasSubstr(R"("description":"A \"thing\".")"));
  EXPECT_THAT(document, HasSubstr(R"("name":"Things","description":"Things.")"));
  EXPECT_THAT(document, HasSubstr(R"(- KIND_GOOD: the good one)"));
}

TEST(OpenApiTest, TypesAreThoseOfTheJsonMapping) {
  const std::string document = Document();
  EXPECT_THAT(
      document,
      HasSubstr(R"("sizeBytes":{"type":"string","format":"int64","description":"in bytes"})"));
  EXPECT_THAT(
      document,
      HasSubstr(R"("kinds":{"type":"array","items":{"$ref":"#/components/schemas/a.Kind"}})"));
  EXPECT_THAT(document,
              HasSubstr(R"("additionalProperties":{"$ref":"#/components/schemas/a.Thing"})"));
  EXPECT_THAT(document, HasSubstr(R"("data":{"type":"string","format":"byte")"));
  EXPECT_THAT(document, HasSubstr("At most one of value is set."));
}

TEST(JsonWriterTest, EscapesWhatJsonMust) {
  EXPECT_EQ(JsonString("a\"b\\c\n\x01"), R"("a\"b\\c\n\u0001")");
}

}  // namespace
}  // namespace potok::server
