// What keeps steps off machines that could hold them, in words: what people and the server said of
// machines, and the limits of pools. Pure; for the explanations.
#pragma once

#include <cstddef>
#include <string>

#include "server/domain/plan.h"
#include "server/domain/pools.h"
#include "server/domain/state.h"

namespace potok::server {

// "cordoned", "draining", "quarantined" or "not connected"; empty if it takes new steps.
std::string KeptOffBy(const MachineRecord& machine);

// Machines of the shape's pool that could hold it and take no new steps.
struct KeptOff {
  std::size_t machines = 0;
  // "gpu-1 is draining (a new disk), 3 machines are not connected"; empty if there are none.
  std::string text;
};
KeptOff KeptOffOf(const State& state, const Pools& pools, const Shape& shape);

// Why the limits of its pool hold the shape up now; empty if they do not.
std::string HeldByLimits(const Pools& pools, const Shape& shape);
// Why they will never let it run; empty if they may.
std::string BeyondLimits(const Pools& pools, const Shape& shape);

}  // namespace potok::server
