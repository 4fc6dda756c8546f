// Names of blobs and uploads in the byte stream service. Pure; thread-safe.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/base/digest.h"

namespace potok::server {

struct UploadName {
  std::string upload_id;  // [A-Za-z0-9-]{1,64}
  Digest digest;
};

// "blobs/HASH/SIZE"; INVALID_ARGUMENT for anything else.
absl::StatusOr<Digest> ParseReadName(const std::string& name);
// "uploads/ID/blobs/HASH/SIZE"; INVALID_ARGUMENT for anything else.
absl::StatusOr<UploadName> ParseWriteName(const std::string& name);

}  // namespace potok::server
