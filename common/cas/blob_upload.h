// Uploads that arrive in pieces. Only for blob_store.cc.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "common/cas/blob_disk.h"

namespace potok {

// The name of an upload's file, or nothing if the id is not one.
std::optional<std::string> UploadName(const std::string& upload_id, const Digest& digest);

absl::StatusOr<std::unique_ptr<BlobStore::Upload>> OpenUpload(BlobDisk& disk,
                                                              const std::string& upload_id,
                                                              const Digest& digest);

absl::StatusOr<std::unique_ptr<BlobStore::Intake>> OpenIntake(BlobDisk& disk);

}  // namespace potok
