// Looking into folders that are artifacts. Blocks on the store; thread-safe.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/artifacts/artifact_store.h"

namespace potok::server {

// The parts of a path below a folder: "a/b/" is {"a", "b"}. INVALID_ARGUMENT for "..", empty names
// and the like.
absl::StatusOr<std::vector<std::string>> PartsOfPath(const std::string& path);

// What lies at `parts` below an artifact; none: the artifact itself. NOT_FOUND says what there is
// instead; INVALID_ARGUMENT if a link is met.
absl::StatusOr<Artifact> FindBelow(ArtifactStore& store,
                                   const Artifact& artifact,
                                   const std::vector<std::string>& parts);

// The files by which two artifacts differ, by their paths, at most `max`: "a/b.py differs",
// "c.py is new", "d is gone".
absl::StatusOr<std::vector<std::string>> FilesThatDiffer(ArtifactStore& store,
                                                         const Artifact& before,
                                                         const Artifact& after,
                                                         std::size_t max);

}  // namespace potok::server
