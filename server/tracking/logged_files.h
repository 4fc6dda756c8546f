// Files that steps log: their names in the database, their bytes in the store of artifacts. A name
// is never a path on a disk.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/cas/blob_store.h"
#include "server/artifacts/artifact_store.h"
#include "server/store/tracking_store.h"
#include "server/tracking/mlflow_api.h"

namespace potok::server {

// HOLDER/PATH, as it stands behind /api/2.0/mlflow-artifacts/artifacts/.
struct LoggedName {
  std::string holder;
  std::string path;  // "": all of the holder
};
// INVALID_ARGUMENT for a path with empty parts, "." or "..", or beyond 1000 bytes.
absl::StatusOr<LoggedName> ParseLoggedName(const std::string& name);

// What is directly in a folder.
struct LoggedEntry {
  std::string name;
  bool is_folder = false;
  std::int64_t size_bytes = 0;
};

// Thread-safe; blocks on disk, store and database.
class LoggedFiles {
 public:
  // All outlive this. `folder` is for files on their way out; made when it is needed.
  LoggedFiles(TrackingStore& store, ArtifactStore& artifacts, std::string folder)
      : store_(store), artifacts_(artifacts), folder_(std::move(folder)) {}

  // OK if the caller may log files there: the run or model is its own. PERMISSION_DENIED,
  // NOT_FOUND.
  absl::Status MayWrite(const MlflowCaller& caller, const LoggedName& name);

  // Where the bytes arrive, before Put names them.
  absl::StatusOr<std::unique_ptr<BlobStore::Intake>> Begin();
  absl::Status Put(const MlflowCaller& caller, const LoggedName& name, BlobStore::Intake& bytes);

  // The file open for reading; the caller closes it. NOT_FOUND.
  struct OpenFile {
    int descriptor = -1;
    std::int64_t size_bytes = 0;
  };
  absl::StatusOr<OpenFile> Open(const LoggedName& name);

  // In the order of their names; empty for a folder that is none.
  absl::StatusOr<std::vector<LoggedEntry>> List(const LoggedName& folder);

 private:
  TrackingStore& store_;
  ArtifactStore& artifacts_;
  const std::string folder_;
};

// What is directly in `folder` of files (by path) that lie below it.
std::vector<LoggedEntry> EntriesOf(const std::vector<LoggedArtifact>& files,
                                   const std::string& folder);

}  // namespace potok::server
