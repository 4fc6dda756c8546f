// The outputs of a control step as artifacts: what the items of a loop made, as one folder.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "server/artifacts/datastore.h"
#include "server/domain/effect.h"
#include "server/rpc/completion.h"

namespace potok::server {

// A folder with one folder for each entry, named by its label, which is what the item made (a file
// lies in it under its own name), and a file MLTable that lists them in order. Stored whole on OK.
absl::StatusOr<Artifact> ComposeFolder(
    ArtifactStore& store, const std::vector<std::pair<std::string, Artifact>>& entries);

// The answer to the effect: all outputs, those with an explicit destination written there. Blocks on
// disk and store; thread-safe.
OutputsComposed Compose(ArtifactStore& store,
                        Datastores& datastores,
                        const FindLiveRun& find_run,
                        const ComposeOutputs& wanted);

}  // namespace potok::server
