// Whether a step could ever run on the machines that are known, and if not, why, for people. Pure.
// See placement.h for CheckSatisfiable and CheckPool.
#pragma once

#include <string>

#include "server/domain/pools.h"
#include "server/domain/state.h"

namespace potok::server {

// Why no known machine could ever hold the shape, one line; empty if one could.
std::string NeverFits(const State& state, const Pools& pools, const Shape& shape);

}  // namespace potok::server
