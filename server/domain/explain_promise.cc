// What a queued step that is promised room waits for, in words.
#include <set>

#include "fmt/format.h"
#include "fmt/ranges.h"
#include "server/domain/gang.h"
#include "server/domain/preemption.h"

namespace potok::server {

namespace {

// How many steps of each team are ending for the step, on all machines.
std::map<std::string, std::size_t> EndingFor(const State& state, const StepKey& step) {
  std::map<std::string, std::size_t> ending;
  for (const auto& [id, machine] : state.machines) {
    for (const AttemptKey& key : machine.holding) {
      const RunRecord& run = state.runs.at(key.run);
      const auto* leaving = std::get_if<Leaving>(&run.steps[key.index].state());
      if (leaving != nullptr && leaving->room_for == step) ++ending[run.team];
    }
  }
  return ending;
}

}  // namespace

std::string ExplainPromise(const State& state, const RunRecord& run, std::uint32_t index) {
  if (PromisedTo(run.steps[index].state()) == nullptr) return "";
  const std::optional<Membership> member = MembershipOf(*run.plan, index);
  const std::uint32_t first = member.has_value() ? member->first : index;
  std::set<std::string> names;
  for (std::uint32_t i = first; i < first + (member.has_value() ? member->size : 1); ++i) {
    const Placement* promised = PromisedTo(run.steps[i].state());
    if (promised != nullptr) names.insert(state.machines.at(promised->machine).facts.name);
  }
  std::string ending;
  std::size_t count = 0;
  for (const auto& [team, steps] : EndingFor(state, {run.id, first})) {
    ending += fmt::format("{}{} preemptible step{} of team {}",
                          ending.empty() ? "" : ", ",
                          steps,
                          steps == 1 ? "" : "s",
                          team);
    count += steps;
  }
  if (count == 0) {
    return fmt::format("room is kept for it on {}: what holds that is about to end",
                       fmt::join(names, " and "));
  }
  return fmt::format("room is being made on {}: {} {} stopping",
                     fmt::join(names, " and "),
                     ending,
                     count == 1 ? "is" : "are");
}

}  // namespace potok::server
