// The nodes of a job file, for job_file.h. Pure.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/text/value.h"
#include "common/pipeline/spec.h"

namespace potok::client {

// Steps of one level as `jobs:`, in their order, with no component beside them. A loop is
// two nodes, the body before it. INTERNAL for what no server keeps.
absl::StatusOr<Object> NodesOf(const std::vector<Step>& steps);

}  // namespace potok::client
