#include "server/domain/resume.h"

#include <algorithm>
#include <set>

namespace potok::server {

bool EndsAttempt(const StepEvent& event) {
  return std::holds_alternative<AttemptSucceeded>(event) ||
         std::holds_alternative<AttemptFailed>(event) ||
         std::holds_alternative<AttemptStopped>(event);
}

Resumption Resume(const State& state, const MachineRecord& machine, const MachineHello& hello) {
  const std::set<AttemptKey> live(hello.live.begin(), hello.live.end());
  std::set<AttemptKey> reported;
  for (const Report& report : hello.unacknowledged) {
    if (EndsAttempt(report.event)) reported.insert(report.key);
  }
  const bool same_boot = machine.facts.boot_id == hello.machine.boot_id;
  Resumption resumption;
  for (const AttemptKey& key : machine.holding) {
    if (reported.contains(key)) continue;
    const StepState& step = state.runs.at(key.run).steps[key.index].state();
    if (same_boot && live.contains(key)) {
      resumption.keep.push_back(key);
      if (std::holds_alternative<Stopping>(step) || std::holds_alternative<Leaving>(step)) {
        resumption.stop.push_back(key);
      }
    } else if (same_boot && std::holds_alternative<Assigned>(step)) {
      resumption.start.push_back(key);
    } else {
      resumption.ended.push_back(key);
    }
  }
  return resumption;
}

}  // namespace potok::server
