// Marks everything below artifacts, each folder once. One thread; blocks on the disk.
#pragma once

#include <array>
#include <cstdint>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "common/cas/blob_store.h"
#include "common/pipeline/spec.h"
#include "server/retention/blob_marks.h"

namespace potok::server {

class Marker {
 public:
  // Both outlive it.
  Marker(BlobStore& blobs, BlobMarks& marks) : blobs_(blobs), marks_(marks) {}

  // A file, or a folder with all that is below. What is not in the store, or is no folder though it
  // is said to be, is passed over: nothing can be below it. Any other error means that what is
  // below is not known, and nothing may be removed.
  absl::Status Mark(const Artifact& artifact);

  std::int64_t folders() const { return static_cast<std::int64_t>(seen_.size()); }

 private:
  // Half a SHA-256: nobody finds two folders that share it.
  using Key = std::array<std::uint8_t, 16>;
  bool IsNew(const Digest& folder);

  BlobStore& blobs_;
  BlobMarks& marks_;
  absl::flat_hash_set<Key> seen_;  // only asked, never walked
};

}  // namespace potok::server
