#include "server/domain/state.h"

#include <algorithm>
#include <utility>

#include "common/base/overloaded.h"
#include "server/domain/expand.h"
#include "server/domain/fingerprint.h"
#include "server/domain/fit.h"
#include "server/domain/locality.h"
#include "server/domain/reservation.h"

namespace potok::server {

namespace {

// More runs than can end between a caller's look at the tables and the turn that hears it.
constexpr std::size_t kEndedKept = 10'000;

// Counts what a machine declares that was `before` and is `after`; true if there are other pools
// now.
bool CountPools(State& state, const MachineChanged& before, const MachineChanged& after) {
  const std::size_t pools = state.declared_pools.size();
  const bool any_gpus = state.default_with_gpus > 0;
  bool is_new = false;
  for (const std::string& pool : after.pools) is_new |= ++state.declared_pools[pool] == 1;
  for (const std::string& pool : before.pools) {
    const auto declared = state.declared_pools.find(pool);
    if (declared != state.declared_pools.end() && --declared->second == 0) {
      state.declared_pools.erase(declared);
    }
  }
  if (IsDefaultWithGpus(after)) ++state.default_with_gpus;
  if (IsDefaultWithGpus(before)) --state.default_with_gpus;
  return is_new || pools != state.declared_pools.size() ||
         any_gpus != (state.default_with_gpus > 0);
}

// What a step holds is counted for the pool that it names.
void UsePool(State& state, const RunRecord& run, std::uint32_t index) {
  if (run.plan == nullptr) return;
  PoolUse& use = state.pool_use[run.plan->shape_of(index).pool];
  ++use.steps;
  use.resources += RequestOf(run, index);
  CountHeldIn(state, run, run.plan->shape_of(index).pool, RequestOf(run, index));
}
void LeavePool(State& state, const RunRecord& run, std::uint32_t index) {
  if (run.plan == nullptr) return;
  const auto pool = state.pool_use.find(run.plan->shape_of(index).pool);
  if (pool == state.pool_use.end()) return;
  CountReleasedIn(state, run, pool->first, RequestOf(run, index));
  pool->second.resources -= RequestOf(run, index);
  if (--pool->second.steps == 0) state.pool_use.erase(pool);
}

// Gives a placement's capacity to the machine's books or takes it back. A machine may be loaded
// after the steps that it holds: its record is then filled in later.
void Hold(State& state, RunRecord& run, const AttemptKey& key, const Placement& placement) {
  MachineRecord& machine = state.machines[placement.machine];
  if (!machine.holding.insert(key).second) return;
  ++run.placed;
  CountHeld(state, run, RequestOf(run, key.index));
  machine.reserved += RequestOf(run, key.index);
  for (const std::int32_t gpu : placement.gpus) {
    machine.gpus_held[gpu] += MillisOfEach(RequestOf(run, key.index));
  }
  UsePool(state, run, key.index);
  if (EndsInTime(run, key.index) && machine.timed.insert(key).second) {
    state.timed.insert(placement.machine);
  }
  state.vacancies.Touch(placement.machine);
}

void Release(State& state, RunRecord& run, const AttemptKey& key, const Placement& placement) {
  MachineRecord& machine = state.machines[placement.machine];
  if (machine.holding.erase(key) == 0) return;
  --run.placed;
  CountReleased(state, run, RequestOf(run, key.index));
  machine.reserved -= RequestOf(run, key.index);
  for (const std::int32_t gpu : placement.gpus) {
    std::int32_t& held = machine.gpus_held[gpu];
    held -= MillisOfEach(RequestOf(run, key.index));
    if (held == 0) machine.gpus_held.erase(gpu);
  }
  LeavePool(state, run, key.index);
  if (machine.timed.erase(key) > 0 && machine.timed.empty()) state.timed.erase(placement.machine);
  state.vacancies.Touch(placement.machine);
}

AttemptKey AttemptOf(const StepKey& key, const StepRecord& step) {
  return {key.run, key.index, step.attempt};
}

// What is kept of a machine for a queued step, or not any more.
void Promise(State& state, const RunRecord& run, std::uint32_t index, const Placement& placement) {
  if (!state.promised.insert({run.id, index}).second) return;
  MachineRecord& machine = state.machines[placement.machine];
  const Resources request = RequestOf(run, index);
  machine.promised += request;
  for (const std::int32_t gpu : placement.gpus) machine.gpus_promised[gpu] += MillisOfEach(request);
  state.vacancies.Touch(placement.machine);
}
void Unpromise(State& state,
               const RunRecord& run,
               std::uint32_t index,
               const Placement& placement) {
  if (state.promised.erase({run.id, index}) == 0) return;
  MachineRecord& machine = state.machines[placement.machine];
  const Resources request = RequestOf(run, index);
  machine.promised -= request;
  for (const std::int32_t gpu : placement.gpus) {
    std::int32_t& millis = machine.gpus_promised[gpu];
    millis -= MillisOfEach(request);
    if (millis == 0) machine.gpus_promised.erase(gpu);
  }
  state.vacancies.Touch(placement.machine);
}

// The sets of steps that are in a state.
void List(State& state, const RunRecord& run, std::uint32_t index) {
  const StepKey key{run.id, index};
  const StepRecord& step = run.steps[index];
  if (std::holds_alternative<Queued>(step.state())) {
    state.queued.Add(server::PlaceOf(run, index), {run.team, run.submitter});
    state.queued.Park(run.id, ParkedOf(run));
  }
  if (const Placement* promised = PromisedTo(step.state())) Promise(state, run, index, *promised);
  if (std::holds_alternative<Open>(step.state())) state.open.insert(key);
  if (const auto* delayed = std::get_if<Delayed>(&step.state())) {
    state.delayed.insert({delayed->until, key});
  }
}
void Unlist(State& state, const RunRecord& run, std::uint32_t index) {
  const StepKey key{run.id, index};
  const StepRecord& step = run.steps[index];
  if (std::holds_alternative<Queued>(step.state())) {
    state.queued.Remove(server::PlaceOf(run, index));
  }
  if (const Placement* promised = PromisedTo(step.state())) Unpromise(state, run, index, *promised);
  if (std::holds_alternative<Open>(step.state())) state.open.erase(key);
  if (const auto* delayed = std::get_if<Delayed>(&step.state())) {
    state.delayed.erase({delayed->until, key});
  }
}

void ApplyServerStarted(State& state, const ServerStarted& started) {
  state.epoch = std::max(state.epoch, started.epoch);
}

// Steps from `first` on, as they are at the beginning. Those that need no other are queued, unless
// the run starts after others.
void AddSteps(
    State& state, RunRecord& run, std::uint32_t first, std::uint32_t count, absl::Time at) {
  run.steps.resize(first + count);
  for (std::uint32_t i = first; i < first + count; ++i) {
    StepRecord& step = run.steps[i];
    step.since = at;
    if (run.plan == nullptr) continue;
    step.waiting_for = static_cast<std::uint32_t>(run.plan->planned(i).upstreams.size());
    if (!run.plan->IsRoot(i) || (first == 0 && !run.after.empty())) continue;
    step.SetState(Queued{});
    List(state, run, i);
  }
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
  run.submitter = added.submitter;
  if (!added.team.empty()) run.team = added.team;
  TeamRecord& team = state.teams[run.team];
  team.facts.name = run.team;
  ++team.runs;
  ++state.pending[run.submitter];
  run.after = added.after;
  for (const After& after : run.after) {
    const bool waits = state.runs.contains(after.run) && after.run != run.id;
    if (waits && state.followers[after.run].insert(run.id).second) ++run.waits_for;
  }
  if (run.plan != nullptr) run.open_finals = run.plan->finals;
  AddSteps(state, run, 0, added.steps, added.at);
  state.run_by_name[run.name] = run.id;
}

// A run leaves memory when it has ended; what is left of it in other books goes with it.
void Forget(State& state, RunRecord& run) {
  for (std::uint32_t i = 0; run.open_steps > 0 && i < run.steps.size(); ++i) {
    const StepKey key{run.id, i};
    Unlist(state, run, i);
    const Placement* placement = PlacementOf(run.steps[i].state());
    if (placement != nullptr) Release(state, run, AttemptOf(key, run.steps[i]), *placement);
  }
  auto& fingerprints = state.reuse.fingerprints;
  fingerprints.erase(fingerprints.lower_bound({run.id, 0}),
                     fingerprints.lower_bound({run.id + 1, 0}));
  for (const RunId follower : state.followers[run.id]) --state.runs.at(follower).waits_for;
  state.followers.erase(run.id);
  for (const After& after : run.after) {
    const auto followers = state.followers.find(after.run);
    if (followers == state.followers.end()) continue;
    followers->second.erase(run.id);
    if (followers->second.empty()) state.followers.erase(followers);
  }
  state.ended_lately.emplace_back(run.id, run.status);
  if (state.ended_lately.size() > kEndedKept) state.ended_lately.pop_front();
  --state.teams.at(run.team).runs;
  state.run_by_name.erase(run.name);
  state.runs.erase(run.id);
}

void ApplyRunMoved(State& state, const RunMoved& moved) {
  const auto it = state.runs.find(moved.id);
  if (it == state.runs.end()) return;
  RunRecord& run = it->second;
  const bool was_pending = run.status == RunStatus::kNotStarted;
  if (was_pending && moved.status != RunStatus::kNotStarted) {
    const auto pending = state.pending.find(run.submitter);
    if (--pending->second == 0) state.pending.erase(pending);
  }
  run.status = moved.status;
  run.reason = moved.reason;
  if (IsTerminal(moved.status)) Forget(state, run);
}

void StepEnded(RunRecord& run, std::uint32_t index) {
  --run.open_steps;
  const bool failed = std::holds_alternative<Failed>(run.steps[index].state());
  if (run.plan == nullptr) {
    run.step_failed = run.step_failed || failed;
    return;
  }
  const Segment& segment = run.plan->SegmentOf(index);
  if (segment.control.has_value()) {
    ControlRecord& control = run.controls.at(*segment.control);
    BodyRecord& body = control.bodies[segment.ordinal];
    if (--body.open_steps == 0) --control.live;
    if (failed) body.failed = true;
    if (std::holds_alternative<Canceled>(run.steps[index].state())) body.canceled = true;
  } else {
    run.step_failed = run.step_failed || failed;
    if (run.plan->definition(index).finalizes) --run.open_finals;
  }
  for (const std::uint32_t dependent : run.plan->planned(index).dependents) {
    --run.steps[dependent].waiting_for;
  }
}

void ApplyStepMoved(State& state, const StepMoved& moved) {
  const auto it = state.runs.find(moved.step.run);
  if (it == state.runs.end() || moved.step.index >= it->second.steps.size()) return;
  RunRecord& run = it->second;
  StepRecord& step = run.steps[moved.step.index];
  const bool was_terminal = IsTerminal(step.state());
  if (const Placement* placement = PlacementOf(step.state())) {
    Release(state, run, AttemptOf(moved.step, step), *placement);
  }
  Unlist(state, run, moved.step.index);
  step.SetState(moved.state);
  step.attempt = moved.attempt;
  step.machine_lost = static_cast<std::uint16_t>(moved.machine_lost);
  step.since = moved.at;
  step.lack = moved.lack;
  // After the old placement was taken out of the books, and before the new one is put in.
  if (moved.raise.has_value()) {
    run.raises[moved.step.index] = *moved.raise;
  } else {
    run.raises.erase(moved.step.index);
  }
  step.displaced = moved.displaced;
  if (moved.offer.has_value()) state.reuse.offered.insert(PrefixOf(moved.offer->fingerprint));
  if (const Placement* placement = PlacementOf(step.state())) {
    Hold(state, run, AttemptOf(moved.step, step), *placement);
  }
  List(state, run, moved.step.index);
  NoteHoldings(state, run, moved.step.index);
  state.queued.Park(run.id, ParkedOf(run));
  if (!was_terminal && IsTerminal(step.state())) StepEnded(run, moved.step.index);
}

// Once; the changes of an earlier turn may be met again.
void ApplyStepsAdded(State& state, const StepsAdded& added) {
  const auto it = state.runs.find(added.run);
  if (it == state.runs.end() || it->second.plan == nullptr) return;
  RunRecord& run = it->second;
  if (added.first != run.steps.size()) return;
  std::shared_ptr<const Segment> segment = added.segment;
  if (segment == nullptr) {
    auto expanded = Expand(*run.plan, added);
    if (expanded.ok()) segment = *std::move(expanded);
  }
  run.open_steps += added.count;
  if (segment == nullptr) {
    // What was decided once can be done again; if a bug says otherwise, the run has no plan, which
    // ends it at the start.
    for (std::uint32_t i = 0; i < run.steps.size(); ++i) Unlist(state, run, i);
    run.plan = nullptr;
    run.steps.resize(added.first + added.count);
    return;
  }
  Grow(std::move(segment), &run.plan);
  ControlRecord& control = run.controls[added.control];
  BodyRecord body;
  body.first = added.first;
  body.count = added.count;
  body.open_steps = added.count;
  body.values = added.values;
  control.bodies.push_back(std::move(body));
  ++control.live;
  AddSteps(state, run, added.first, added.count, added.at);
}

// Of what an attempt logs; a later attempt begins anew.
void ApplyTrialMeasured(State& state, const TrialMeasured& measured) {
  const auto it = state.runs.find(measured.run);
  if (it == state.runs.end() || it->second.plan == nullptr) return;
  RunRecord& run = it->second;
  if (measured.index >= run.steps.size() || measured.count < 1) return;
  const Segment& segment = run.plan->SegmentOf(measured.index);
  if (!segment.control.has_value()) return;
  BodyRecord& body = run.controls.at(*segment.control).bodies[segment.ordinal];
  const auto before = std::pair(body.measured_step, body.measured_attempt);
  const auto now = std::pair(measured.index, measured.attempt);
  if (now < before) return;
  if (now > before) body.measured.Clear();
  body.measured_step = measured.index;
  body.measured_attempt = measured.attempt;
  const auto count = static_cast<std::size_t>(measured.count);
  while (body.measured.size() < count) body.measured.Add(measured.value);
}

// All steps, whatever their state: those that wait have their place by it, and others may again.
void ApplyRunOrdered(State& state, const RunOrdered& ordered) {
  const auto it = state.runs.find(ordered.run);
  if (it == state.runs.end()) return;
  RunRecord& run = it->second;
  if (run.hold.has_value() && !ordered.hold.has_value()) run.released = ordered.at;
  run.hold = ordered.hold;
  const bool moves = ordered.priority != run.priority || ordered.pool != run.pool;
  if (moves && run.plan != nullptr) {
    for (std::uint32_t i = 0; i < run.steps.size(); ++i) {
      Unlist(state, run, i);
      if (PlacementOf(run.steps[i].state()) != nullptr) LeavePool(state, run, i);
    }
    run.priority = ordered.priority;
    run.pool = ordered.pool;
    if (run.pool.has_value()) {
      auto plan = std::make_shared<Plan>(*run.plan);
      plan->MoveTo(*run.pool);
      run.plan = std::move(plan);
    }
    for (std::uint32_t i = 0; i < run.steps.size(); ++i) {
      if (PlacementOf(run.steps[i].state()) != nullptr) UsePool(state, run, i);
      List(state, run, i);
    }
  }
  state.queued.Park(run.id, ParkedOf(run));
}

bool IsThere(Liveness liveness) {
  return liveness == Liveness::kReady || liveness == Liveness::kNotResponding;
}

void ApplyMachineChanged(State& state, const MachineChanged& changed) {
  state.next_machine = std::max(state.next_machine, changed.id + 1);
  state.machine_by_name[changed.name] = changed.id;
  MachineRecord& machine = state.machines[changed.id];
  const bool pools_change = CountPools(state, machine.facts, changed);
  if (pools_change) state.vacancies.TouchAll();
  state.vacancies.TouchFacts(changed.id);
  if (IsThere(machine.facts.liveness)) CountMachine(state, machine.facts.capacity, -1);
  if (IsThere(changed.liveness)) CountMachine(state, changed.capacity, +1);
  // Another state folder has another cache.
  if (machine.facts.state_id != changed.state_id) state.holdings.Forget(changed.id);
  machine.facts = changed;
  machine.labels = LabelsOf(changed);
}

void ApplyPoolChanged(State& state, const PoolChanged& changed) {
  if (changed.deleted) {
    state.pools.erase(changed.name);
  } else {
    const LabelExpression selector = LabelExpression::ParseOrNever(changed.selector);
    state.pools.insert_or_assign(changed.name, PoolRecord{changed, selector});
  }
  state.vacancies.TouchAll();
}

}  // namespace

std::map<std::string, std::string> EditedLabels(const std::map<std::string, std::string>& labels,
                                                const std::map<std::string, LabelEdit>& edits) {
  std::map<std::string, std::string> edited = labels;
  for (const auto& [name, edit] : edits) {
    if (edit.value.has_value()) {
      edited[name] = *edit.value;
    } else {
      edited.erase(name);
    }
  }
  return edited;
}

bool IsCordoned(const MachineChanged& machine) {
  return machine.cordon.has_value() && machine.cordon->state != CordonState::kNone;
}

const char* WordOf(PoolImages images) {
  switch (images) {
    case PoolImages::kContainer:
      return "container";
    case PoolImages::kHost:
      return "host";
    case PoolImages::kAsAgents:
      return "";
  }
  return "";
}

std::int32_t PriorityOf(const RunRecord& run, std::uint32_t index) {
  if (run.priority.has_value()) return *run.priority;
  return run.plan == nullptr ? 0 : run.plan->definition(index).priority;
}

QueuePlace PlaceOf(const RunRecord& run, std::uint32_t index) {
  const StepRecord& step = run.steps[index];
  // A raised step asks for what no other does: it has a lane of its own.
  const bool is_raised = run.raises.contains(index);
  const std::uint32_t lane = is_raised ? kRaisedLanes + index : 0;
  const std::uint32_t shape =
      is_raised || run.plan == nullptr ? lane : run.plan->planned(index).shape;
  const std::string pool = run.plan == nullptr ? "" : run.plan->shape_of(index).pool;
  return {{run.id, index},
          PriorityOf(run, index),
          shape,
          step.since,
          {AmountsOf(RequestOf(run, index)), PoolCounted(pool)}};
}

std::uint32_t LimitOf(const RunRecord& run) {
  if (run.plan == nullptr) return 0;
  return static_cast<std::uint32_t>(std::max(run.plan->spec().settings.max_running_steps, 0));
}

Parked ParkedOf(const RunRecord& run) {
  if (run.hold.has_value()) return Parked::kHeld;
  const std::uint32_t limit = LimitOf(run);
  return limit > 0 && run.placed >= limit ? Parked::kLimit : Parked::kNot;
}

Resources RequestOf(const RunRecord& run, std::uint32_t index) {
  if (run.plan == nullptr) return {};
  Resources request = run.plan->shape_of(index).request;
  const auto raise = run.raises.find(index);
  if (raise != run.raises.end()) request.memory_bytes = raise->second.to_bytes;
  return request;
}

Shape ShapeAskedFor(const RunRecord& run, std::uint32_t index) {
  Shape shape = run.plan->shape_of(index);
  shape.request = RequestOf(run, index);
  return shape;
}

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
                 [&](const StepsAdded& c) { ApplyStepsAdded(state, c); },
                 [&](const TrialMeasured& c) { ApplyTrialMeasured(state, c); },
                 [&](const RunOrdered& c) { ApplyRunOrdered(state, c); },
                 [&](const TeamChanged& c) { ApplyTeamChanged(state, c); },
                 [&](const TeamUsed& c) { ApplyTeamUsed(state, c); },
                 [&](const PoolChanged& c) { ApplyPoolChanged(state, c); },
             },
             change);
}

}  // namespace potok::server
