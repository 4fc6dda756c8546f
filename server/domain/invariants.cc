#include "server/domain/invariants.h"

namespace potok::server {

std::vector<std::string> CheckInvariants(const State& state) {
  Problems problems;
  CheckPoolUse(state, &problems);
  for (const auto& [id, run] : state.runs) CheckRun(state, run, &problems);
  CheckReuse(state, &problems);
  CheckQueue(state, &problems);
  CheckFollowers(state, &problems);
  CheckTeams(state, &problems);
  CheckMachines(state, &problems);
  return problems;
}

}  // namespace potok::server
