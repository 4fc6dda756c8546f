// Invariants of steps that wait for the results of equal ones.
#include <set>

#include "fmt/format.h"
#include "server/domain/fingerprint.h"
#include "server/domain/invariants.h"
#include "server/domain/order.h"

namespace potok::server {

namespace {

// What is kept is what would be worked out now, of a step that has not ended.
void CheckFingerprint(const State& state,
                      const StepKey& key,
                      const Fingerprint& fingerprint,
                      Problems* problems) {
  const auto run = state.runs.find(key.run);
  if (run == state.runs.end() || run->second.plan == nullptr ||
      IsTerminal(run->second.steps[key.index].state())) {
    problems->push_back(
        fmt::format("run {} step {}: has ended, and its fingerprint is kept", key.run, key.index));
    return;
  }
  const auto inputs = ResolveInputs(run->second, key.index);
  if (inputs.ok() &&
      FingerprintOf(run->second.plan->definition(key.index), *inputs) == fingerprint) {
    return;
  }
  problems->push_back(fmt::format("{}: the fingerprint that is kept differs",
                                  DescribeStep(run->second, key.index)));
}

}  // namespace

// Who resolves is either looked for or waits for one that runs, and who runs for others is equal to
// them and there.
void CheckReuse(const State& state, Problems* problems) {
  std::set<StepKey> accounted = state.reuse.sought;
  for (const auto& [running, waiting] : state.reuse.waiting_for) {
    const auto run = state.runs.find(running.run);
    if (run == state.runs.end() || IsTerminal(run->second.steps[running.index].state())) {
      problems->push_back(fmt::format(
          "run {} step {}: has ended, and steps wait for its result", running.run, running.index));
    }
    accounted.insert(waiting.begin(), waiting.end());
  }
  for (const auto& [key, fingerprint] : state.reuse.fingerprints) {
    CheckFingerprint(state, key, fingerprint, problems);
  }
  for (const auto& [id, run] : state.runs) {
    for (std::uint32_t i = 0; i < run.steps.size(); ++i) {
      if (!std::holds_alternative<Resolving>(run.steps[i].state())) continue;
      if (!accounted.contains({id, i})) {
        problems->push_back(fmt::format("{}: nothing will resolve it", DescribeStep(run, i)));
      }
    }
  }
}

}  // namespace potok::server
