// The byte stream service over a blob store: large blobs as streams, cut ones resumed.
#pragma once

#include <memory>

#include "common/cas/blob_store.h"

namespace grpc {
class Service;  // whole in grpcpp/impl/service_type.h
}

namespace potok::server {

// Serves "blobs/HASH/SIZE" to read and "uploads/ID/blobs/HASH/SIZE" to write. What a cut upload
// brought stays and is what QueryWriteStatus tells. A blob that is here already ends an upload at
// once with its whole size. Blocks its thread on the disk; `store` must outlive the service.
std::unique_ptr<grpc::Service> MakeByteStreamService(BlobStore& store);

}  // namespace potok::server
