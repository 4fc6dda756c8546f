// Teams as text for people and as objects for programs. Pure.
#pragma once

#include <string>
#include <vector>

#include "client/cli/text/table.h"
#include "client/cli/text/value.h"
#include "potok/v1/teams.pb.h"

namespace potok::client {

// What each holds of its quota, and its share.
std::string TeamTable(const std::vector<v1::Team>& teams, const TableStyle& style = {});

// One team with its users.
std::string TeamText(const v1::Team& team, const TableStyle& style = {});

Value TeamObject(const v1::Team& team);

// What teams have in pools, by the pool or by the team.
using TeamsInPools = google::protobuf::RepeatedPtrField<v1::TeamInPool>;
enum class InPool { kPool, kTeam };
std::string InPoolTable(const TeamsInPools& shares, InPool first, const TableStyle& style = {});
Value InPoolValue(const TeamsInPools& shares, InPool first);

}  // namespace potok::client
