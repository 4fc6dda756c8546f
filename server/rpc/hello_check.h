// Whether what an agent says of its machine can be true. Pure.
#pragma once

#include "absl/status/status.h"
#include "server/domain/change.h"

namespace potok::server {

// INVALID_ARGUMENT, with the machine, the value and the bound, for capacities that no machine has
// (negative, beyond a pebibyte of memory, 100,000 CPUs or 1024 GPUs, or a part of a GPU), for what
// CheckAmounts refuses, for GPUs that are described twice or with absurd numbers, and for more
// labels or pools, or longer ones, than a machine may have.
absl::Status CheckHelloMachine(const MachineChanged& machine);

}  // namespace potok::server
