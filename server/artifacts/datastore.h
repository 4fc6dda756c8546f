// Datastores: named folders of the server's disk that give inputs and receive outputs whose path
// the pipeline names. Thread-safe; blocks on the disk.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/pipeline/spec.h"
#include "server/artifacts/artifact_store.h"

namespace potok::server {

class Datastores {
 public:
  // Keeps datastore NAME in ROOT/NAME; `workspaceblobstore` and `workspacefilestore` are made if
  // they are not there. `store` must outlive the result. UNAVAILABLE or PERMISSION_DENIED.
  static absl::StatusOr<std::unique_ptr<Datastores>> Open(const std::string& root,
                                                          ArtifactStore& store);

  // The file or folder that a URI names (datastore_uri.h), taken into the store. NOT_FOUND if
  // there is none; INVALID_ARGUMENT for a bad URI, an unknown datastore (the known ones are
  // listed), and links on the way or out of the folder.
  absl::StatusOr<Artifact> Import(const std::string& uri);

  // Lays an artifact at a URI in one step, replacing what is there; again is the same. Folders
  // above are made. Errors as of Import; NOT_FOUND for a blob that is missing.
  absl::Status Export(const Artifact& artifact, const std::string& uri);

  // Makes a datastore, unless it is there. INVALID_ARGUMENT for a name that is none
  // (datastore_uri.h).
  absl::Status Make(const std::string& name);

  // Every folder of ROOT that is named as one, in alphabetical order: a folder, or a link to one,
  // that somebody puts there is a datastore, too.
  std::vector<std::string> Names() const;

  // OK if the URI names a place in a datastore that there is, whatever lies there.
  absl::Status Check(const std::string& uri) const;

 private:
  Datastores(std::string root, ArtifactStore& store);
  absl::Status CheckKnown(const std::string& datastore) const;

  const std::string root_;
  ArtifactStore& store_;
};

}  // namespace potok::server
