// What people say of teams in single pools. Pure.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "server/domain/event.h"
#include "server/domain/pools.h"
#include "server/domain/team.h"

namespace potok::server {

// Makes the edits true of the team and checks what comes of them. NOT_FOUND for a pool that there
// is not (what was said of one that is no more can be taken back); INVALID_ARGUMENT for amounts
// below zero or beyond all measure, for more that is guaranteed in a pool than the team may have
// there or over all pools, and for too many pools. The team is of no use after an error.
absl::Status EditPools(const Pools& pools,
                       const std::vector<PoolShareEdit>& edits,
                       TeamChanged* team);

}  // namespace potok::server
