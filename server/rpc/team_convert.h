// What teams have, as messages.
#pragma once

#include <set>
#include <string>

#include "potok/v1/teams.pb.h"
#include "server/domain/shares.h"

namespace potok::server {

void AmountsToProto(const Amounts& amounts, v1::Amounts* out);

// The pools of which something is said for the team, and those in which it holds something.
std::set<std::string> PoolsOf(const TeamRecord& team);

// What the team may have, is guaranteed and holds in the pool.
v1::TeamInPool InPoolToProto(const TeamRecord& team, const std::string& pool);

}  // namespace potok::server
