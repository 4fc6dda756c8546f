#include <algorithm>
#include <map>
#include <set>

#include "common/base/overloaded.h"
#include "common/pipeline/control.h"
#include "fmt/format.h"
#include "server/domain/fingerprint.h"
#include "server/domain/fit.h"
#include "server/domain/order.h"
#include "server/domain/reservation.h"
#include "server/domain/state.h"

namespace potok::server {

namespace {

using Problems = std::vector<std::string>;

std::string Describe(const RunRecord& run, std::uint32_t index) {
  const std::string name = run.plan == nullptr ? std::to_string(index) : run.plan->step(index).name;
  return fmt::format("run {} step {} ({}, attempt {})",
                     run.id,
                     name,
                     NameOf(run.steps[index].state),
                     run.steps[index].attempt);
}

// An attempt is one requeue more than the requeues, while it is there and after it. Requeues are of
// machines that were lost or emptied, and as many as the step may be tried again.
void CheckAttempt(const RunRecord& run, std::uint32_t index, Problems* problems) {
  const StepRecord& step = run.steps[index];
  const std::uint32_t lost = step.machine_lost + step.displaced;
  const bool is_control = run.plan != nullptr && IsControl(run.plan->step(index));
  const std::int32_t tries = run.plan == nullptr ? 1 : run.plan->step(index).retry.max_attempts;
  const auto retries_max = static_cast<std::uint32_t>(std::max(tries, 1) - 1);
  const bool without = step.attempt >= lost && step.attempt <= lost + retries_max;
  const bool with = step.attempt >= lost + 1 && step.attempt <= lost + 1 + retries_max;
  const bool fine =
      std::visit(Overloaded{
                     [&](const Blocked&) { return step.attempt == 0; },
                     [&](const Skipped&) { return step.attempt == 0; },
                     [&](const Resolving&) { return step.attempt == 0; },
                     [&](const Queued&) { return without; },
                     [&](const Delayed&) { return is_control || step.attempt > lost; },
                     [&](const Open&) { return is_control && step.attempt == 0; },
                     [&](const Canceled&) { return without || with; },
                     [&](const Failed& failed) {
                       // A member of a gang that was moved begins anew as another step.
                       const bool is_moved =
                           step.displaced > 0 && failed.failure.cause == FailureCause::kMachineLost;
                       return failed.machine == 0 || is_moved ? without : with;
                     },
                     [&](const Succeeded& succeeded) {
                       return is_control || succeeded.reused.has_value() ? step.attempt == 0 : with;
                     },
                     [&](const auto&) { return with; },
                 },
                 step.state);
  if (!fine) {
    problems->push_back(
        fmt::format("{}: {} requeues do not explain the attempt", Describe(run, index), lost));
  }
}

// What a step needs has ended before it is queued, and well unless it is optional.
void CheckNeeds(const RunRecord& run, std::uint32_t index, Problems* problems) {
  const StepRecord& step = run.steps[index];
  std::uint32_t waiting_for = 0;
  bool needs_met = true;
  for (const Edge& edge : run.plan->planned(index).upstreams) {
    const StepState& upstream = run.steps[edge.step].state;
    if (!IsTerminal(upstream)) ++waiting_for;
    if (edge.required && !std::holds_alternative<Succeeded>(upstream)) needs_met = false;
  }
  if (waiting_for != step.waiting_for) {
    problems->push_back(fmt::format("{}: waits for {} upstreams and counts {}",
                                    Describe(run, index),
                                    waiting_for,
                                    step.waiting_for));
  }
  const bool begun = step.attempt > 0 || std::holds_alternative<Queued>(step.state) ||
                     std::holds_alternative<Resolving>(step.state) ||
                     std::holds_alternative<Open>(step.state);
  // Its `when` may let it begin before all have ended, and whatever came of them.
  if (!run.plan->step(index).when.empty()) return;
  if (begun && (waiting_for > 0 || !needs_met)) {
    problems->push_back(fmt::format("{}: begun before what it needs", Describe(run, index)));
  }
}

// The books of control steps: which bodies there are, and what has come of them. Nothing of a
// control step that has ended goes on, but what is being stopped.
void CheckBodies(const RunRecord& run, Problems* problems) {
  std::size_t segments = 1;
  for (const auto& [index, control] : run.controls) {
    std::uint32_t live = 0;
    for (const BodyRecord& body : control.bodies) {
      ++segments;
      std::uint32_t open = 0;
      for (std::uint32_t i = body.first; i < body.first + body.count; ++i) {
        const StepState& state = run.steps[i].state;
        if (IsTerminal(state)) continue;
        ++open;
        if (IsTerminal(run.steps[index].state) && !std::holds_alternative<Stopping>(state)) {
          problems->push_back(
              fmt::format("{}: goes on without its control step", Describe(run, i)));
        }
      }
      if (open > 0) ++live;
      if (open != body.open_steps) {
        problems->push_back(fmt::format(
            "{}: a body of {} open steps counts {}", Describe(run, index), open, body.open_steps));
      }
    }
    if (live != control.live) {
      problems->push_back(
          fmt::format("{}: {} bodies go on, counted {}", Describe(run, index), live, control.live));
    }
  }
  if (segments != run.plan->segments.size() || run.steps.size() != run.plan->size()) {
    problems->push_back(
        fmt::format("run {}: {} segments of {} steps in the plan, {} and {} in the books",
                    run.id,
                    run.plan->segments.size(),
                    run.plan->size(),
                    segments,
                    run.steps.size()));
  }
}

// Members of a gang wait together, and get their machines together.
void CheckGangs(const RunRecord& run, Problems* problems) {
  for (const auto& [index, control] : run.controls) {
    if (!IsGang(run.plan->step(index))) continue;
    for (const BodyRecord& body : control.bodies) {
      std::uint32_t queued = 0;
      for (std::uint32_t i = body.first; i < body.first + body.count; ++i) {
        if (std::holds_alternative<Queued>(run.steps[i].state)) ++queued;
      }
      if (queued != 0 && queued != body.count) {
        problems->push_back(fmt::format(
            "{}: {} of {} members wait alone", Describe(run, index), queued, body.count));
      }
    }
  }
}

void CheckTimers(const State& state, const RunRecord& run, Problems* problems) {
  for (std::uint32_t i = 0; i < run.steps.size(); ++i) {
    const StepState& step = run.steps[i].state;
    const auto* delayed = std::get_if<Delayed>(&step);
    const bool is_listed =
        delayed == nullptr || state.delayed.contains({delayed->until, {run.id, i}});
    if (std::holds_alternative<Open>(step) != state.open.contains({run.id, i}) || !is_listed) {
      problems->push_back(fmt::format("{}: the sets of steps differ", Describe(run, i)));
    }
  }
}

// Memory is only ever raised, by an attempt that was, and where the step's plan says so.
void CheckRaises(const RunRecord& run, Problems* problems) {
  for (const auto& [index, raise] : run.raises) {
    const RetryPolicy& retry = run.plan->step(index).retry;
    const bool fine = retry.memory_factor > 1 && raise.attempt >= 1 &&
                      raise.attempt <= run.steps[index].attempt &&
                      raise.from_bytes < raise.to_bytes &&
                      raise.from_bytes >= run.plan->shape_of(index).request.memory_bytes;
    if (fine) continue;
    problems->push_back(fmt::format("{}: memory raised from {} to {} by attempt {}",
                                    Describe(run, index),
                                    raise.from_bytes,
                                    raise.to_bytes,
                                    raise.attempt));
  }
}

// A step is in the sets of its state.
void CheckSets(const State& state, const RunRecord& run, std::uint32_t index, Problems* problems) {
  const StepState& step = run.steps[index].state;
  if ((PromisedTo(step) != nullptr) != state.promised.contains({run.id, index})) {
    problems->push_back(fmt::format("{}: the set of promised steps differs", Describe(run, index)));
  }
  if (std::holds_alternative<Queued>(step) != state.queued.Contains(PlaceOf(run, index))) {
    problems->push_back(fmt::format("{}: the queue of steps differs", Describe(run, index)));
  }
}

void CheckRun(const State& state, const RunRecord& run, Problems* problems) {
  std::uint32_t open = 0;
  std::uint32_t open_finals = 0;
  bool failed = false;
  for (std::uint32_t i = 0; i < run.steps.size(); ++i) {
    const StepState& step = run.steps[i].state;
    if (!IsTerminal(step)) ++open;
    const bool is_of_body = run.plan != nullptr && run.plan->SegmentOf(i).control.has_value();
    if (std::holds_alternative<Failed>(step) && !is_of_body) failed = true;
    if (run.plan != nullptr && run.plan->step(i).finalizes && !IsTerminal(step)) ++open_finals;
    CheckSets(state, run, i, problems);
    CheckAttempt(run, i, problems);
    if (run.plan != nullptr) CheckNeeds(run, i, problems);
  }
  if (open != run.open_steps || failed != run.step_failed) {
    problems->push_back(fmt::format("run {}: {} open steps (failed: {}), counted {} ({})",
                                    run.id,
                                    open,
                                    failed,
                                    run.open_steps,
                                    run.step_failed));
  }
  if (open_finals != run.open_finals) {
    problems->push_back(fmt::format("run {}: {} open steps that run after all others, counted {}",
                                    run.id,
                                    open_finals,
                                    run.open_finals));
  }
  if (run.plan != nullptr) CheckBodies(run, problems);
  if (run.plan != nullptr) CheckGangs(run, problems);
  if (run.plan != nullptr) CheckRaises(run, problems);
  if (open == 0)
    problems->push_back(fmt::format("run {}: all steps ended, but it goes on", run.id));
  if (IsTerminal(run.status)) {
    problems->push_back(fmt::format("run {}: ended, but still in memory", run.id));
  }
  const auto by_name = state.run_by_name.find(run.name);
  if (by_name == state.run_by_name.end() || by_name->second != run.id) {
    problems->push_back(fmt::format("run {}: not found by its name", run.id));
  }
}

// What is kept is what would be worked out now, of a step that has not ended.
void CheckFingerprint(const State& state,
                      const StepKey& key,
                      const Fingerprint& fingerprint,
                      Problems* problems) {
  const auto run = state.runs.find(key.run);
  if (run == state.runs.end() || run->second.plan == nullptr ||
      IsTerminal(run->second.steps[key.index].state)) {
    problems->push_back(
        fmt::format("run {} step {}: has ended, and its fingerprint is kept", key.run, key.index));
    return;
  }
  const auto inputs = ResolveInputs(run->second, key.index);
  if (inputs.ok() && FingerprintOf(run->second.plan->step(key.index), *inputs) == fingerprint) {
    return;
  }
  problems->push_back(
      fmt::format("{}: the fingerprint that is kept differs", Describe(run->second, key.index)));
}

// Who resolves is either looked for or waits for one that runs, and who runs for others is equal to
// them and there.
void CheckReuse(const State& state, Problems* problems) {
  std::set<StepKey> accounted = state.reuse.sought;
  for (const auto& [running, waiting] : state.reuse.waiting_for) {
    const auto run = state.runs.find(running.run);
    if (run == state.runs.end() || IsTerminal(run->second.steps[running.index].state)) {
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
      if (!std::holds_alternative<Resolving>(run.steps[i].state)) continue;
      if (!accounted.contains({id, i})) {
        problems->push_back(fmt::format("{}: nothing will resolve it", Describe(run, i)));
      }
    }
  }
}

void CountPromised(const RunRecord& run,
                   std::uint32_t index,
                   std::map<MachineId, MachineRecord>* expected) {
  const Placement* promised = PromisedTo(run.steps[index].state);
  if (promised == nullptr) return;
  MachineRecord& machine = (*expected)[promised->machine];
  machine.promised += RequestOf(run, index);
  for (const std::int32_t gpu : promised->gpus) {
    machine.gpus_promised[gpu] += MillisOfEach(RequestOf(run, index));
  }
}

// What each machine should hold, from the states of steps.
std::map<MachineId, MachineRecord> CountHoldings(const State& state, Problems* problems) {
  std::map<MachineId, MachineRecord> expected;
  for (const auto& [id, run] : state.runs) {
    for (std::uint32_t i = 0; i < run.steps.size(); ++i) {
      const Placement* placement = PlacementOf(run.steps[i].state);
      if (run.plan == nullptr) continue;
      CountPromised(run, i, &expected);
      if (placement == nullptr) continue;
      MachineRecord& machine = expected[placement->machine];
      machine.holding.insert({id, i, run.steps[i].attempt});
      if (EndsInTime(run, i)) machine.timed.insert({id, i, run.steps[i].attempt});
      machine.reserved += RequestOf(run, i);
      for (const std::int32_t gpu : placement->gpus) {
        std::int32_t& held = machine.gpus_held[gpu];
        held += MillisOfEach(RequestOf(run, i));
        if (held <= kMillisOfGpu) continue;
        problems->push_back(fmt::format(
            "{}: with it {} thousandths of GPU {} are held", Describe(run, i), held, gpu));
      }
    }
  }
  return expected;
}

// What is derived from all machines together.
void CheckMachineSets(const State& state, Problems* problems) {
  std::set<MachineId> timed;
  std::map<std::string, std::size_t> declared;
  std::size_t with_gpus = 0;
  for (const auto& [id, machine] : state.machines) {
    if (!machine.timed.empty()) timed.insert(id);
    for (const std::string& pool : machine.facts.pools) ++declared[pool];
    if (IsDefaultWithGpus(machine.facts)) ++with_gpus;
  }
  if (timed != state.timed) problems->push_back("the machines where something ends in time differ");
  if (declared != state.declared_pools || with_gpus != state.default_with_gpus) {
    problems->push_back("the pools that machines declare differ from what was counted");
  }
}

void CheckMachine(const MachineRecord& machine, const MachineRecord& expected, Problems* problems) {
  const std::string& name = machine.facts.name;
  if (machine.holding != expected.holding || machine.reserved != expected.reserved ||
      machine.gpus_held != expected.gpus_held || machine.timed != expected.timed ||
      machine.promised != expected.promised || machine.gpus_promised != expected.gpus_promised) {
    problems->push_back(fmt::format("machine {}: its books differ from the steps' states", name));
  }
  if (!machine.reserved.FitsInto(machine.facts.capacity)) {
    problems->push_back(fmt::format("machine {}: {} reserved of {}",
                                    name,
                                    ToString(machine.reserved),
                                    ToString(machine.facts.capacity)));
  }
  if (machine.facts.labels != EditedLabels(machine.facts.agent_labels, machine.facts.label_edits)) {
    problems->push_back(fmt::format("machine {}: its labels are not the edited ones", name));
  }
  const Liveness liveness = machine.facts.liveness;
  const bool away = liveness == Liveness::kLost || liveness == Liveness::kGone;
  if (away && (!machine.holding.empty() || machine.session != 0)) {
    problems->push_back(
        fmt::format("machine {}: is lost or gone, but holds attempts or a session", name));
  }
}

// How many steps of the run are queued; and that those on machines are counted and within the
// limit.
std::size_t CountQueued(const RunRecord& run, Problems* problems) {
  std::size_t queued = 0;
  std::uint32_t placed = 0;
  for (const StepRecord& step : run.steps) {
    if (std::holds_alternative<Queued>(step.state)) ++queued;
    if (PlacementOf(step.state) != nullptr) ++placed;
  }
  if (placed != run.placed || (LimitOf(run) > 0 && placed > LimitOf(run))) {
    problems->push_back(
        fmt::format("run {}: {} steps hold machines, counted {}", run.id, placed, run.placed));
  }
  return queued;
}

std::size_t CountFronts(const StepQueue::Level& level) {
  std::size_t count = 0;
  for (const auto& [team, users] : level.teams) {
    for (const auto& [user, groups] : users) {
      for (const auto& [request, group] : groups) count += group.fronts.size();
    }
  }
  return count;
}

// That each queued step is there is known: nothing else is, and what is parked is not to be seen.
void CheckQueue(const State& state, Problems* problems) {
  std::size_t queued = 0;
  std::map<std::int32_t, std::size_t> fronts;  // by priority
  for (const auto& [id, run] : state.runs) {
    queued += CountQueued(run, problems);
    const auto in_queue = state.queued.runs().find(id);
    if (in_queue == state.queued.runs().end()) continue;
    if (in_queue->second.parked != ParkedOf(run) ||
        in_queue->second.owner != QueueOwner{run.team, run.submitter}) {
      problems->push_back(fmt::format("run {}: is queued otherwise than it is", id));
    }
    if (in_queue->second.parked != Parked::kNot) continue;
    for (const auto& [priority, lanes] : in_queue->second.levels) fronts[priority] += lanes.size();
  }
  bool is_shown = fronts.size() == state.queued.levels().size();
  for (const auto& [priority, level] : state.queued.levels()) {
    is_shown = is_shown && CountFronts(level) == fronts[priority];
  }
  if (queued != state.queued.size() || !is_shown) {
    problems->push_back(fmt::format(
        "{} steps are queued, {} in the queue, which shows others", queued, state.queued.size()));
  }
}

// Who waits for a run's end is known to it.
void CheckFollowers(const State& state, Problems* problems) {
  std::map<RunId, std::set<RunId>> followers;
  std::map<std::string, std::size_t> pending;
  for (const auto& [id, run] : state.runs) {
    if (run.status == RunStatus::kNotStarted) ++pending[run.submitter];
    std::set<RunId> waits_for;
    for (const After& after : run.after) {
      if (state.runs.contains(after.run) && after.run != id) waits_for.insert(after.run);
    }
    for (const RunId other : waits_for) followers[other].insert(id);
    if (waits_for.size() != run.waits_for) {
      problems->push_back(fmt::format(
          "run {}: waits for {} runs, counted {}", id, waits_for.size(), run.waits_for));
    }
    const bool begun = std::any_of(run.steps.begin(), run.steps.end(), [](const StepRecord& step) {
      return !std::holds_alternative<Blocked>(step.state) && !IsTerminal(step.state);
    });
    if (begun && !waits_for.empty()) {
      problems->push_back(fmt::format("run {}: begun before what it starts after had ended", id));
    }
  }
  if (pending != state.pending) problems->push_back("runs that have not begun are miscounted");
  if (followers != state.followers) problems->push_back("who starts after which run differs");
}

// What each team should hold, from the states of steps.
std::map<std::string, TeamRecord> CountTeams(const State& state) {
  std::map<std::string, TeamRecord> expected;
  for (const auto& [id, run] : state.runs) {
    TeamRecord& team = expected[run.team];
    ++team.runs;
    for (std::uint32_t i = 0; i < run.steps.size(); ++i) {
      if (PlacementOf(run.steps[i].state) == nullptr || run.plan == nullptr) continue;
      for (Use* use : {&team.use, &team.users[run.submitter]}) {
        use->held += AmountsOf(RequestOf(run, i));
        ++use->steps;
      }
    }
  }
  return expected;
}

bool HoldsAsCounted(const TeamRecord& team, const TeamRecord& counted) {
  const auto is_same = [](const Use& a, const Use& b) {
    return a.held == b.held && a.steps == b.steps;
  };
  if (!is_same(team.use, counted.use) || team.runs != counted.runs) return false;
  std::size_t holding = 0;
  for (const auto& [user, use] : team.users) {
    const auto found = counted.users.find(user);
    if (!is_same(use, found == counted.users.end() ? Use{} : found->second)) return false;
    if (use.steps > 0) ++holding;
  }
  return holding == counted.users.size();
}

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

// What is counted of each pool is what its steps hold.
void CheckPoolUse(const State& state, Problems* problems) {
  std::map<std::string, PoolUse> expected;
  for (const auto& [id, run] : state.runs) {
    if (run.plan == nullptr) continue;
    for (std::uint32_t i = 0; i < run.steps.size(); ++i) {
      if (PlacementOf(run.steps[i].state) == nullptr) continue;
      PoolUse& use = expected[run.plan->shape_of(i).pool];
      ++use.steps;
      use.resources += RequestOf(run, i);
    }
  }
  if (expected == state.pool_use) return;
  problems->emplace_back("the use of pools differs from the steps' states");
}

}  // namespace

std::vector<std::string> CheckInvariants(const State& state) {
  Problems problems;
  CheckPoolUse(state, &problems);
  for (const auto& [id, run] : state.runs) {
    CheckRun(state, run, &problems);
    CheckTimers(state, run, &problems);
  }
  CheckReuse(state, &problems);
  CheckQueue(state, &problems);
  CheckFollowers(state, &problems);
  CheckTeams(state, &problems);
  std::map<MachineId, MachineRecord> expected = CountHoldings(state, &problems);
  CheckMachineSets(state, &problems);
  for (const auto& [id, machine] : state.machines) {
    CheckMachine(machine, expected[id], &problems);
    expected.erase(id);
  }
  for (const auto& [id, machine] : expected) {
    problems.push_back(fmt::format("machine {}: holds attempts and is unknown", id));
  }
  return problems;
}

}  // namespace potok::server
