#include "server/domain/state.h"

#include <algorithm>
#include <utility>

#include "common/base/overloaded.h"
#include "server/domain/fingerprint.h"

namespace potok::server {

namespace {

Resources RequestOf(const RunRecord& run, std::uint32_t index) {
  return run.plan == nullptr ? Resources{} : run.plan->shape_of(index).request;
}

// Gives a placement's capacity to the machine's books or takes it back. A machine may be loaded
// after the steps that it holds: its record is then filled in later.
void Hold(State& state, const RunRecord& run, const AttemptKey& key, const Placement& placement) {
  MachineRecord& machine = state.machines[placement.machine];
  if (!machine.holding.insert(key).second) return;
  machine.reserved += RequestOf(run, key.index);
  machine.gpus_held.insert(placement.gpus.begin(), placement.gpus.end());
}

void Release(State& state,
             const RunRecord& run,
             const AttemptKey& key,
             const Placement& placement) {
  MachineRecord& machine = state.machines[placement.machine];
  if (machine.holding.erase(key) == 0) return;
  machine.reserved -= RequestOf(run, key.index);
  for (const std::int32_t gpu : placement.gpus) machine.gpus_held.erase(gpu);
}

AttemptKey AttemptOf(const StepKey& key, const StepRecord& step) {
  return {key.run, key.index, step.attempt};
}

void ApplyServerStarted(State& state, const ServerStarted& started) {
  state.epoch = std::max(state.epoch, started.epoch);
}

void ApplyRunAdded(State& state, const RunAdded& added) {
  state.next_run = std::max(state.next_run, added.id + 1);
  if (state.runs.contains(added.id)) return;
  RunRecord& run = state.runs[added.id];
  run.id = added.id;
  run.name = added.name;
  run.plan = added.plan;
  run.created = added.at;
  run.open_steps = added.steps;
  run.steps.resize(added.steps);
  for (std::uint32_t i = 0; i < added.steps; ++i) {
    run.steps[i].since = added.at;
    if (run.plan == nullptr) continue;
    run.steps[i].waiting_for = static_cast<std::uint32_t>(run.plan->steps[i].upstreams.size());
    if (!run.plan->IsRoot(i)) continue;
    run.steps[i].state = Queued{};
    state.queued.insert(state.queued.end(), {run.id, i});
  }
  state.run_by_name[run.name] = run.id;
}

// A run leaves memory when it has ended; what is left of it in other books goes with it.
void Forget(State& state, const RunRecord& run) {
  for (std::uint32_t i = 0; run.open_steps > 0 && i < run.steps.size(); ++i) {
    const StepKey key{run.id, i};
    state.queued.erase(key);
    const Placement* placement = PlacementOf(run.steps[i].state);
    if (placement != nullptr) Release(state, run, AttemptOf(key, run.steps[i]), *placement);
  }
  state.run_by_name.erase(run.name);
  state.runs.erase(run.id);
}

void ApplyRunMoved(State& state, const RunMoved& moved) {
  const auto it = state.runs.find(moved.id);
  if (it == state.runs.end()) return;
  RunRecord& run = it->second;
  run.status = moved.status;
  run.reason = moved.reason;
  if (IsTerminal(moved.status)) Forget(state, run);
}

void StepEnded(RunRecord& run, std::uint32_t index) {
  --run.open_steps;
  if (std::holds_alternative<Failed>(run.steps[index].state)) run.step_failed = true;
  if (run.plan == nullptr) return;
  for (const std::uint32_t dependent : run.plan->steps[index].dependents) {
    --run.steps[dependent].waiting_for;
  }
}

void ApplyStepMoved(State& state, const StepMoved& moved) {
  const auto it = state.runs.find(moved.step.run);
  if (it == state.runs.end() || moved.step.index >= it->second.steps.size()) return;
  RunRecord& run = it->second;
  StepRecord& step = run.steps[moved.step.index];
  const bool was_terminal = IsTerminal(step.state);
  if (const Placement* placement = PlacementOf(step.state)) {
    Release(state, run, AttemptOf(moved.step, step), *placement);
  }
  if (std::holds_alternative<Queued>(step.state)) state.queued.erase(moved.step);
  step.state = moved.state;
  step.attempt = moved.attempt;
  step.machine_lost = moved.machine_lost;
  step.since = moved.at;
  step.lack = moved.lack;
  if (moved.offer.has_value()) state.reuse.offered.insert(PrefixOf(moved.offer->fingerprint));
  if (const Placement* placement = PlacementOf(step.state)) {
    Hold(state, run, AttemptOf(moved.step, step), *placement);
  }
  if (std::holds_alternative<Queued>(step.state)) state.queued.insert(moved.step);
  if (!was_terminal && IsTerminal(step.state)) StepEnded(run, moved.step.index);
}

void ApplyMachineChanged(State& state, const MachineChanged& changed) {
  state.next_machine = std::max(state.next_machine, changed.id + 1);
  state.machine_by_name[changed.name] = changed.id;
  state.machines[changed.id].facts = changed;
}

}  // namespace

bool IsTerminal(RunStatus status) {
  return status == RunStatus::kCompleted || status == RunStatus::kFailed ||
         status == RunStatus::kCanceled;
}

void Apply(State& state, const Change& change) {
  std::visit(Overloaded{
                 [&](const ServerStarted& c) { ApplyServerStarted(state, c); },
                 [&](const RunAdded& c) { ApplyRunAdded(state, c); },
                 [&](const RunMoved& c) { ApplyRunMoved(state, c); },
                 [&](const StepMoved& c) { ApplyStepMoved(state, c); },
                 [&](const MachineChanged& c) { ApplyMachineChanged(state, c); },
             },
             change);
}

}  // namespace potok::server
