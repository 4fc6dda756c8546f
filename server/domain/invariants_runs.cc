// Invariants of runs: their counts, the bodies of their control steps, who starts after whom.
#include <algorithm>
#include <map>
#include <set>

#include "common/pipeline/control.h"
#include "fmt/format.h"
#include "server/domain/invariants.h"

namespace potok::server {

namespace {

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
        const StepState& state = run.steps[i].state();
        if (IsTerminal(state)) continue;
        ++open;
        if (IsTerminal(run.steps[index].state()) && !std::holds_alternative<Stopping>(state)) {
          problems->push_back(
              fmt::format("{}: goes on without its control step", DescribeStep(run, i)));
        }
      }
      if (open > 0) ++live;
      if (open != body.open_steps) {
        problems->push_back(fmt::format("{}: a body of {} open steps counts {}",
                                        DescribeStep(run, index),
                                        open,
                                        body.open_steps));
      }
    }
    if (live != control.live) {
      problems->push_back(fmt::format(
          "{}: {} bodies go on, counted {}", DescribeStep(run, index), live, control.live));
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
    if (!IsGang(run.plan->definition(index))) continue;
    for (const BodyRecord& body : control.bodies) {
      std::uint32_t queued = 0;
      for (std::uint32_t i = body.first; i < body.first + body.count; ++i) {
        if (std::holds_alternative<Queued>(run.steps[i].state())) ++queued;
      }
      if (queued != 0 && queued != body.count) {
        problems->push_back(fmt::format(
            "{}: {} of {} members wait alone", DescribeStep(run, index), queued, body.count));
      }
    }
  }
}

void CheckTimers(const State& state, const RunRecord& run, Problems* problems) {
  for (std::uint32_t i = 0; i < run.steps.size(); ++i) {
    const StepState& step = run.steps[i].state();
    const auto* delayed = std::get_if<Delayed>(&step);
    const bool is_listed =
        delayed == nullptr || state.delayed.contains({delayed->until, {run.id, i}});
    if (std::holds_alternative<Open>(step) != state.open.contains({run.id, i}) || !is_listed) {
      problems->push_back(fmt::format("{}: the sets of steps differ", DescribeStep(run, i)));
    }
  }
}

// Memory is only ever raised, by an attempt that was, and where the step's plan says so.
void CheckRaises(const RunRecord& run, Problems* problems) {
  for (const auto& [index, raise] : run.raises) {
    const RetryPolicy& retry = run.plan->definition(index).retry;
    const bool fine = retry.memory_factor > 1 && raise.attempt >= 1 &&
                      raise.attempt <= run.steps[index].attempt &&
                      raise.from_bytes < raise.to_bytes &&
                      raise.from_bytes >= run.plan->shape_of(index).request.memory_bytes;
    if (fine) continue;
    problems->push_back(fmt::format("{}: memory raised from {} to {} by attempt {}",
                                    DescribeStep(run, index),
                                    raise.from_bytes,
                                    raise.to_bytes,
                                    raise.attempt));
  }
}

}  // namespace

void CheckRun(const State& state, const RunRecord& run, Problems* problems) {
  std::uint32_t open = 0;
  std::uint32_t open_finals = 0;
  bool failed = false;
  for (std::uint32_t i = 0; i < run.steps.size(); ++i) {
    const StepState& step = run.steps[i].state();
    if (!IsTerminal(step)) ++open;
    const bool is_of_body = run.plan != nullptr && run.plan->SegmentOf(i).control.has_value();
    if (std::holds_alternative<Failed>(step) && !is_of_body) failed = true;
    if (run.plan != nullptr && run.plan->definition(i).finalizes && !IsTerminal(step))
      ++open_finals;
    CheckStep(state, run, i, problems);
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
  CheckTimers(state, run, problems);
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
      return !std::holds_alternative<Blocked>(step.state()) && !IsTerminal(step.state());
    });
    if (begun && !waits_for.empty()) {
      problems->push_back(fmt::format("run {}: begun before what it starts after had ended", id));
    }
  }
  if (pending != state.pending) problems->push_back("runs that have not begun are miscounted");
  if (followers != state.followers) problems->push_back("who starts after which run differs");
}

}  // namespace potok::server
