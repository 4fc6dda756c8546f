#include "server/rpc/cas/blob_services.h"

#include <grpcpp/impl/service_type.h>

#include "server/rpc/cas/byte_stream_service.h"
#include "server/rpc/cas/cas_service.h"

namespace potok::server {

std::vector<std::unique_ptr<grpc::Service>> MakeBlobServices(BlobStore& store) {
  std::vector<std::unique_ptr<grpc::Service>> services;
  services.push_back(MakeCasService(store));
  services.push_back(MakeCapabilitiesService());
  services.push_back(MakeByteStreamService(store));
  return services;
}

}  // namespace potok::server
