// Client of a content-addressed store that speaks the Remote Execution API's storage services.
// Knows gRPC only in its .cc. Thread-safe; every call blocks until done and retries what is worth
// retrying (UNAVAILABLE, cut streams, with resume from where it was) until nothing has moved for
// `patience`.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/cas/blob_store.h"
#include "common/cas/snapshot.h"

namespace grpc {
class Channel;
}

namespace potok {

class CasCalls;

struct CasClientOptions {
  // How long a store may be away, without a byte moving, before a call fails.
  absl::Duration patience = absl::Minutes(2);
  int transfers = 4;  // at once
};

struct TransferProgress {
  std::int64_t bytes_done = 0;
  std::int64_t bytes_total = 0;
};

// How files of a fetched artifact are laid on the disk.
enum class Placing {
  kCopy,  // a private, writable copy
  kLink,  // hard links into the cache where possible (read-only 0444), copies otherwise; folders
          // 0555
};

class CasClient {
 public:
  explicit CasClient(const std::shared_ptr<grpc::Channel>& channel, CasClientOptions options = {});
  ~CasClient();

  // Sends the blobs of a snapshot that the store does not have. `progress` may be null and is
  // called from any thread.
  absl::Status Upload(const Snapshot& snapshot,
                      const std::function<void(const TransferProgress&)>& progress = nullptr);

  // Which of these are not in the store.
  absl::StatusOr<std::vector<Digest>> Missing(const std::vector<Digest>& digests);

  // Lays an artifact at `path` (which must not exist; its parent must): a folder with its tree, or
  // a file. Through `cache` when given. What was laid is complete or, on error, removed. Names with
  // '/', "..", NUL, and links that leave the folder are refused (DATA_LOSS): a tree is somebody's
  // input.
  absl::Status Fetch(const Artifact& artifact,
                     const std::string& path,
                     BlobStore* cache,
                     Placing placing,
                     const std::function<void(const TransferProgress&)>& progress = nullptr);

  // The same in one step over what is there, and made to last.
  absl::Status FetchOver(const Artifact& artifact, const std::string& path, BlobStore& cache);

  // Every digest below (and including) an artifact's root that is not in the store; folders that
  // are missing hide what is below them. Folders are read through `cache`, but are asked for in the
  // store itself, too. DATA_LOSS for what is no tree.
  absl::StatusOr<std::vector<Digest>> MissingOf(const Artifact& artifact, BlobStore& cache);

  // ListTree (tree.h) of a folder in the store; folders are read through `cache`.
  absl::StatusOr<std::map<std::string, std::string>> List(const Artifact& artifact,
                                                          BlobStore& cache);

  // One blob of at most `bytes_max` bytes into memory.
  absl::StatusOr<std::string> ReadBlob(const Digest& digest, std::int64_t bytes_max);

 private:
  const CasClientOptions options_;
  std::unique_ptr<CasCalls> calls_;
};

}  // namespace potok
