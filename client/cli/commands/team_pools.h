// What the command line says of a team in single pools.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "potok/v1/teams.pb.h"

namespace potok::client {

// Adds to the request what is said as "gpu-cluster:gpus=8,cpus=64,running_steps=4" of limits, and
// as "gpu-cluster:gpus=4" of what is guaranteed; "gpu-cluster:none" and "gpu-cluster:gpus=none"
// take back. INVALID_ARGUMENT, naming the option, for what is neither, for a pool or an amount that
// is named twice, and for what is no amount.
absl::Status TakePools(const std::vector<std::string>& limits,
                       const std::vector<std::string>& guaranteed,
                       v1::EditTeamRequest* request);

}  // namespace potok::client
