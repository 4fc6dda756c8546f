#include "common/base/overloaded.h"
#include "fmt/format.h"
#include "server/domain/state.h"

namespace potok::server {

namespace {

using Problems = std::vector<std::string>;

std::string Describe(const RunRecord& run, std::uint32_t index) {
  const std::string name =
      run.plan == nullptr ? std::to_string(index) : run.plan->spec.steps[index].name;
  return fmt::format("run {} step {} ({}, attempt {})",
                     run.id,
                     name,
                     NameOf(run.steps[index].state),
                     run.steps[index].attempt);
}

// An attempt is one requeue more than the requeues, while it is there and after it.
void CheckAttempt(const RunRecord& run, std::uint32_t index, Problems* problems) {
  const StepRecord& step = run.steps[index];
  const std::uint32_t lost = step.machine_lost;
  const bool without = step.attempt == lost;
  const bool with = step.attempt == lost + 1;
  const bool fine = std::visit(
      Overloaded{
          [&](const Blocked&) { return step.attempt == 0; },
          [&](const Skipped&) { return step.attempt == 0; },
          [&](const Resolving&) { return step.attempt == 0; },
          [&](const Queued&) { return without; },
          [&](const Succeeded& succeeded) {
            return succeeded.reused.has_value() ? step.attempt == 0 : with;
          },
          [&](const Canceled&) { return without || with; },
          [&](const Failed& failed) { return failed.machine == 0 ? step.attempt == 0 : with; },
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
  for (const Edge& edge : run.plan->steps[index].upstreams) {
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
                     std::holds_alternative<Resolving>(step.state);
  if (begun && (waiting_for > 0 || !needs_met)) {
    problems->push_back(fmt::format("{}: begun before what it needs", Describe(run, index)));
  }
}

void CheckRun(const State& state, const RunRecord& run, Problems* problems) {
  std::uint32_t open = 0;
  bool failed = false;
  for (std::uint32_t i = 0; i < run.steps.size(); ++i) {
    const StepState& step = run.steps[i].state;
    if (!IsTerminal(step)) ++open;
    if (std::holds_alternative<Failed>(step)) failed = true;
    if (std::holds_alternative<Queued>(step) != state.queued.contains({run.id, i})) {
      problems->push_back(fmt::format("{}: the set of queued steps differs", Describe(run, i)));
    }
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
  for (const auto& [id, run] : state.runs) {
    for (std::uint32_t i = 0; i < run.steps.size(); ++i) {
      if (!std::holds_alternative<Resolving>(run.steps[i].state)) continue;
      if (!accounted.contains({id, i})) {
        problems->push_back(fmt::format("{}: nothing will resolve it", Describe(run, i)));
      }
    }
  }
}

// What each machine should hold, from the states of steps.
std::map<MachineId, MachineRecord> CountHoldings(const State& state, Problems* problems) {
  std::map<MachineId, MachineRecord> expected;
  for (const auto& [id, run] : state.runs) {
    for (std::uint32_t i = 0; i < run.steps.size(); ++i) {
      const Placement* placement = PlacementOf(run.steps[i].state);
      if (placement == nullptr || run.plan == nullptr) continue;
      MachineRecord& machine = expected[placement->machine];
      machine.holding.insert({id, i, run.steps[i].attempt});
      machine.reserved += run.plan->shape_of(i).request;
      for (const std::int32_t gpu : placement->gpus) {
        if (machine.gpus_held.insert(gpu).second) continue;
        problems->push_back(fmt::format("{}: shares GPU {}", Describe(run, i), gpu));
      }
    }
  }
  return expected;
}

void CheckMachine(const MachineRecord& machine, const MachineRecord& expected, Problems* problems) {
  const std::string& name = machine.facts.name;
  if (machine.holding != expected.holding || machine.reserved != expected.reserved ||
      machine.gpus_held != expected.gpus_held) {
    problems->push_back(fmt::format("machine {}: its books differ from the steps' states", name));
  }
  if (!machine.reserved.FitsInto(machine.facts.capacity)) {
    problems->push_back(fmt::format("machine {}: {} reserved of {}",
                                    name,
                                    ToString(machine.reserved),
                                    ToString(machine.facts.capacity)));
  }
  const Liveness liveness = machine.facts.liveness;
  const bool away = liveness == Liveness::kLost || liveness == Liveness::kGone;
  if (away && (!machine.holding.empty() || machine.session != 0)) {
    problems->push_back(
        fmt::format("machine {}: is lost or gone, but holds attempts or a session", name));
  }
}

}  // namespace

std::vector<std::string> CheckInvariants(const State& state) {
  Problems problems;
  for (const auto& [id, run] : state.runs) CheckRun(state, run, &problems);
  CheckReuse(state, &problems);
  for (const StepKey& key : state.queued) {
    const auto run = state.runs.find(key.run);
    if (run != state.runs.end() && key.index < run->second.steps.size()) continue;
    problems.push_back(fmt::format("run {} step {}: queued, but not there", key.run, key.index));
  }
  std::map<MachineId, MachineRecord> expected = CountHoldings(state, &problems);
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
