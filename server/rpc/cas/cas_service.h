// The content-addressable storage service of the Remote Execution API over a blob store, and its
// capabilities.
#pragma once

#include <cstdint>
#include <memory>

#include "common/cas/blob_store.h"

namespace grpc {
class Service;  // whole in grpcpp/impl/service_type.h
}

namespace potok::server {

// What one batch may carry, data and all, below gRPC's 4 MiB for a message.
constexpr std::int64_t kBatchBytesMax = 4 * 1024 * 1024 - 256 * 1024;

// Every digest is checked before it is used; each blob of a batch has its own status. Blocks its
// thread on the disk; `store` must outlive the service.
std::unique_ptr<grpc::Service> MakeCasService(BlobStore& store);

// Says SHA-256 and kBatchBytesMax.
std::unique_ptr<grpc::Service> MakeCapabilitiesService();

}  // namespace potok::server
