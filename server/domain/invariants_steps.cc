// Invariants of one step.
#include <algorithm>

#include "common/base/overloaded.h"
#include "common/pipeline/control.h"
#include "fmt/format.h"
#include "server/domain/invariants.h"
#include "server/domain/order.h"

namespace potok::server {

namespace {

// An attempt is one requeue more than the requeues, while it is there and after it. Requeues are of
// machines that were lost or emptied, and as many as the step may be tried again.
void CheckAttempt(const RunRecord& run, std::uint32_t index, Problems* problems) {
  const StepRecord& step = run.steps[index];
  const std::uint32_t lost = step.machine_lost + step.displaced;
  const bool is_control = run.plan != nullptr && IsControl(run.plan->definition(index));
  const std::int32_t tries =
      run.plan == nullptr ? 1 : run.plan->definition(index).retry.max_attempts;
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
                 step.state());
  if (!fine) {
    problems->push_back(
        fmt::format("{}: {} requeues do not explain the attempt", DescribeStep(run, index), lost));
  }
}

// What a step needs has ended before it is queued, and well unless it is optional.
void CheckNeeds(const RunRecord& run, std::uint32_t index, Problems* problems) {
  const StepRecord& step = run.steps[index];
  std::uint32_t waiting_for = 0;
  bool needs_met = true;
  for (const Edge& edge : run.plan->planned(index).upstreams) {
    const StepState& upstream = run.steps[edge.step].state();
    if (!IsTerminal(upstream)) ++waiting_for;
    if (edge.required && !std::holds_alternative<Succeeded>(upstream)) needs_met = false;
  }
  if (waiting_for != step.waiting_for) {
    problems->push_back(fmt::format("{}: waits for {} upstreams and counts {}",
                                    DescribeStep(run, index),
                                    waiting_for,
                                    step.waiting_for));
  }
  const bool begun = step.attempt > 0 || std::holds_alternative<Queued>(step.state()) ||
                     std::holds_alternative<Resolving>(step.state()) ||
                     std::holds_alternative<Open>(step.state());
  // Its `when` may let it begin before all have ended, and whatever came of them.
  if (!run.plan->definition(index).when.empty()) return;
  if (begun && (waiting_for > 0 || !needs_met)) {
    problems->push_back(fmt::format("{}: begun before what it needs", DescribeStep(run, index)));
  }
}

// A step is in the sets of its state.
void CheckSets(const State& state, const RunRecord& run, std::uint32_t index, Problems* problems) {
  const StepState& step = run.steps[index].state();
  if ((PromisedTo(step) != nullptr) != state.promised.contains({run.id, index})) {
    problems->push_back(
        fmt::format("{}: the set of promised steps differs", DescribeStep(run, index)));
  }
  if (std::holds_alternative<Queued>(step) != state.queued.Contains(PlaceOf(run, index))) {
    problems->push_back(fmt::format("{}: the queue of steps differs", DescribeStep(run, index)));
  }
}

}  // namespace

std::string DescribeStep(const RunRecord& run, std::uint32_t index) {
  const std::string name = run.plan == nullptr ? std::to_string(index) : run.plan->NameOf(index);
  return fmt::format("run {} step {} ({}, attempt {})",
                     run.id,
                     name,
                     NameOf(run.steps[index].state()),
                     run.steps[index].attempt);
}

void CheckStep(const State& state, const RunRecord& run, std::uint32_t index, Problems* problems) {
  CheckSets(state, run, index, problems);
  CheckAttempt(run, index, problems);
  if (run.plan != nullptr) CheckNeeds(run, index, problems);
}

}  // namespace potok::server
