// All services of the storage protocol over one blob store.
#pragma once

#include <memory>
#include <vector>

#include "common/cas/blob_store.h"

namespace grpc {
class Service;  // whole in grpcpp/impl/service_type.h
}

namespace potok::server {

// Content-addressable storage, capabilities, byte streams. `store` must outlive them.
std::vector<std::unique_ptr<grpc::Service>> MakeBlobServices(BlobStore& store);

}  // namespace potok::server
