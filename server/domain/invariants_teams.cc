// Invariants of teams and their shares.
#include <map>
#include <string>

#include "fmt/format.h"
#include "server/domain/invariants.h"

namespace potok::server {

namespace {

// What each team should hold, from the states of steps.
std::map<std::string, TeamRecord> CountTeams(const State& state) {
  std::map<std::string, TeamRecord> expected;
  for (const auto& [id, run] : state.runs) {
    TeamRecord& team = expected[run.team];
    ++team.runs;
    for (std::uint32_t i = 0; i < run.steps.size(); ++i) {
      if (PlacementOf(run.steps[i].state()) == nullptr || run.plan == nullptr) continue;
      for (Use* use : {&team.use, &team.users[run.submitter]}) {
        use->held += AmountsOf(RequestOf(run, i));
        ++use->steps;
      }
      Held& in_pool = team.in_pools[PoolCounted(run.plan->shape_of(i).pool)];
      in_pool.amounts += AmountsOf(RequestOf(run, i));
      ++in_pool.steps;
    }
  }
  return expected;
}

bool HoldsAsCounted(const TeamRecord& team, const TeamRecord& counted) {
  const auto is_same = [](const Use& a, const Use& b) {
    return a.held == b.held && a.steps == b.steps;
  };
  if (!is_same(team.use, counted.use) || team.runs != counted.runs) return false;
  if (team.in_pools != counted.in_pools) return false;
  std::size_t holding = 0;
  for (const auto& [user, use] : team.users) {
    const auto found = counted.users.find(user);
    if (!is_same(use, found == counted.users.end() ? Use{} : found->second)) return false;
    if (use.steps > 0) ++holding;
  }
  return holding == counted.users.size();
}

}  // namespace

// What teams hold is what steps on machines hold, and who is in a team is in one.
void CheckTeams(const State& state, Problems* problems) {
  std::map<std::string, TeamRecord> expected = CountTeams(state);
  std::size_t members = 0;
  for (const auto& [name, team] : state.teams) {
    members += team.facts.users.size();
    if (!HoldsAsCounted(team, expected[name])) {
      problems->push_back(fmt::format("team {}: holds otherwise than it is counted", name));
    }
    expected.erase(name);
  }
  if (!expected.empty() || members != state.team_of_user.size()) {
    problems->push_back("there are runs of no team, or who is in which team differs");
  }
  Amounts living;
  for (const auto& [id, machine] : state.machines) {
    const Liveness liveness = machine.facts.liveness;
    const bool is_there = liveness == Liveness::kReady || liveness == Liveness::kNotResponding;
    if (is_there) living += AmountsOf(machine.facts.capacity);
  }
  if (living != state.living) problems->push_back("what the machines have is miscounted");
}

}  // namespace potok::server
