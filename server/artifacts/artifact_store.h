// Where the bytes of artifacts are, as the server sees it: on its own disk, or in another server of
// the Remote Execution API's storage protocol, through which they then never pass. Thread-safe;
// blocks on the disk or the network.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/cas/blob_store.h"
#include "common/cas/folder.h"
#include "common/cas/snapshot.h"
#include "common/pipeline/spec.h"

namespace potok::server {

class ArtifactStore {
 public:
  virtual ~ArtifactStore() = default;

  // Every digest below (and including) an artifact's root that is not there; folders that are
  // missing hide what is below them. Empty: the artifact is whole. UNAVAILABLE if the store is.
  virtual absl::StatusOr<std::vector<Digest>> MissingOf(const Artifact& artifact) = 0;

  // ListTree (common/cas/tree.h) of a folder that is there.
  virtual absl::StatusOr<std::map<std::string, std::string>> List(const Artifact& folder) = 0;

  virtual absl::Status Put(const Snapshot& snapshot) = 0;

  // One folder of a tree, `depth` folders below its root. NOT_FOUND; DATA_LOSS for what is none.
  virtual absl::StatusOr<Folder> ReadFolder(const Digest& digest, int depth) = 0;

  // Lays an artifact at `path`, lasting, in the place of what is there. NOT_FOUND for a blob that
  // is missing.
  virtual absl::Status LayOver(const Artifact& artifact, const std::string& path) = 0;

  // Where a file may arrive in pieces; Keep then makes it one of the store's.
  virtual BlobStore& arrivals() = 0;
  virtual absl::Status Keep(const Artifact& file) = 0;
};

// `blobs` outlives it.
std::unique_ptr<ArtifactStore> LocalArtifacts(BlobStore& blobs);

// At `address` ("HOST:PORT" or "unix:PATH"); `cache`, which outlives it, holds what is read of it.
std::unique_ptr<ArtifactStore> RemoteArtifacts(const std::string& address, BlobStore& cache);

}  // namespace potok::server
