// What a command left behind, named by its content. Blocks on the disk; any thread.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "agent/domain/attempt_paths.h"
#include "agent/domain/order.h"
#include "agent/domain/report.h"
#include "common/cas/snapshot.h"

namespace potok::agent {

struct CollectedOutputs {
  std::vector<OutputValue> values;
  Snapshot blobs;  // of all of them, each digest once; its artifact is not set
};

// The declared outputs, and the default artifacts (`default`: work/outputs and work/logs) if there
// are any; nothing where the order keeps none. NOT_FOUND naming the output and the path for a file
// that the command did not write; INVALID_ARGUMENT for what cannot be kept.
absl::StatusOr<CollectedOutputs> CollectOutputs(const AttemptOrder& order,
                                                const AttemptPaths& paths);

}  // namespace potok::agent
