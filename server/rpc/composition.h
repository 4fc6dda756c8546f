// The outputs of a control step as artifacts: what the items of a loop made, as one folder.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "server/artifacts/artifact_store.h"
#include "server/domain/effect.h"
#include "server/domain/event.h"

namespace potok::server {

// A folder with one folder for each entry, named by its label, which is what the item made (a file
// lies in it under its own name), and a file MLTable that lists them in order. Stored whole on OK.
absl::StatusOr<Artifact> ComposeFolder(
    ArtifactStore& store, const std::vector<std::pair<std::string, Artifact>>& entries);

// The answer to the effect: all outputs. What is written and registered besides is Completion's.
// Blocks on the store; thread-safe.
OutputsComposed Compose(ArtifactStore& store, const ComposeOutputs& wanted);

}  // namespace potok::server
