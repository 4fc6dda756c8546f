#include "server/store/projection.h"

#include <utility>

#include "common/base/overloaded.h"
#include "server/journal/codec.h"

namespace potok::server {

namespace {

// The counter of the run in which a step of this state is, or null.
std::int32_t* CounterOf(int state, RunRow* row) {
  static const int kRunning = NumberOf(StepState(Running{}));
  static const int kUploading = NumberOf(StepState(Uploading{}));
  static const int kSucceeded = NumberOf(StepState(Succeeded{}));
  static const int kFailed = NumberOf(StepState(Failed{}));
  static const int kCanceled = NumberOf(StepState(Canceled{}));
  static const int kSkipped = NumberOf(StepState(Skipped{}));
  static const int kOpen = NumberOf(StepState(Open{}));
  static const int kLeaving = NumberOf(StepState(Leaving{}));
  if (state == kRunning || state == kUploading || state == kOpen || state == kLeaving) {
    return &row->running;
  }
  if (state == kSucceeded) return &row->completed;
  if (state == kFailed) return &row->failed;
  if (state == kCanceled || state == kSkipped) return &row->canceled;
  return nullptr;
}

bool HoldsPlacement(int state) {
  static const int kFirst = NumberOf(StepState(Assigned{}));
  static const int kLast = NumberOf(StepState(Stopping{}));
  static const int kLeaving = NumberOf(StepState(Leaving{}));
  return (state >= kFirst && state <= kLast) || state == kLeaving;
}

AttemptEnded EndOf(const StepMoved& moved, const StepFacts& before) {
  AttemptEnded ended;
  ended.key = {moved.step.run, moved.step.index, before.attempt};
  ended.machine = before.machine;
  ended.started_us = before.started_us;
  ended.ended_us = absl::ToUnixMicros(moved.at);
  // A step leaves a machine and goes on when its attempt failed, or the machine was lost or
  // emptied.
  static const int kLeaving = NumberOf(StepState(Leaving{}));
  const auto* delayed = std::get_if<Delayed>(&moved.state);
  ended.cause = NameOf(delayed != nullptr ? delayed->failure.cause : FailureCause::kMachineLost);
  if (delayed == nullptr && before.state == kLeaving) {
    ended.cause = before.preempted ? "preempted" : "drained";
  }
  if (delayed != nullptr) ended.code = delayed->failure.code;
  ended.usage = moved.usage;
  ended.runtime = before.runtime;
  return ended;
}

void Place(MachineId machine, StepFacts* facts) {
  if (machine != 0) facts->machine = machine;
}

// The times and the machine that follow from being in `state` since `at_us`.
void Enter(const StepState& state, std::int64_t at_us, StepFacts* facts) {
  const auto run = [&](const Placement& placement) {
    Place(placement.machine, facts);
    if (facts->started_us == 0) facts->started_us = at_us;
  };
  const auto end = [&] { facts->ended_us = at_us; };
  std::visit(Overloaded{
                 [&](const Blocked&) {},
                 [&](const Queued&) { facts->queued_us = at_us; },
                 [&](const Assigned& s) { Place(s.placement.machine, facts); },
                 [&](const Running& s) { run(s.placement); },
                 [&](const Uploading& s) { run(s.placement); },
                 [&](const Stopping& s) { Place(s.placement.machine, facts); },
                 [&](const Leaving& s) { Place(s.placement.machine, facts); },
                 [&](const Succeeded& s) {
                   Place(s.machine, facts);
                   if (facts->started_us == 0) facts->started_us = at_us;
                   end();
                 },
                 [&](const Failed& s) {
                   Place(s.machine, facts);
                   end();
                 },
                 [&](const Canceled&) { end(); },
                 [&](const Skipped&) { end(); },
                 [](const Resolving&) {},
                 [&](const Open&) { facts->started_us = at_us; },
                 [&](const Delayed& s) {
                   Place(s.machine, facts);
                   facts->queued_us = at_us;
                 },
             },
             state);
}

}  // namespace

bool IsPreempted(const StepState& state) {
  const auto* leaving = std::get_if<Leaving>(&state);
  return leaving != nullptr && leaving->room_for.has_value();
}

RunFacts FactsOf(const RunAdded& added, std::int64_t revision) {
  RunFacts run;
  run.row.added = added;
  run.row.added.plan = nullptr;
  run.row.created_us = absl::ToUnixMicros(added.at);
  run.row.revision = revision;
  run.steps.resize(added.steps);
  return run;
}

void Fold(const RunMoved& moved, std::int64_t revision, RunFacts* run) {
  const std::int64_t at_us = absl::ToUnixMicros(moved.at);
  run->row.status = moved.status;
  run->row.reason = moved.reason;
  run->row.revision = revision;
  run->moved_us = at_us;
  if (moved.status == RunStatus::kRunning && run->row.started_us == 0) run->row.started_us = at_us;
  run->row.ended_us = IsTerminal(moved.status) ? at_us : 0;
}

bool Fold(const StepMoved& moved,
          std::int64_t revision,
          RunFacts* run,
          std::optional<AttemptEnded>* ended) {
  ended->reset();
  if (moved.step.index >= run->steps.size()) return false;
  StepFacts& facts = run->steps[moved.step.index];
  const int state = NumberOf(moved.state);
  const bool goes_on = !IsTerminal(moved.state);
  const bool left = !HoldsPlacement(state) || moved.attempt != facts.attempt;
  if (goes_on && left && HoldsPlacement(facts.state)) *ended = EndOf(moved, facts);
  // Times are those of the latest attempt; waiting again begins a new story.
  const bool waits =
      std::holds_alternative<Queued>(moved.state) || std::holds_alternative<Delayed>(moved.state);
  if (moved.attempt != facts.attempt || waits) {
    facts.started_us = 0;
    facts.ended_us = 0;
  }
  if (moved.attempt != facts.attempt) {
    facts.runtime.clear();
    facts.held.reset();
  }
  if (!moved.runtime.empty()) facts.runtime = moved.runtime;
  if (moved.held.has_value()) facts.held = moved.held;
  // It was queued and placed in one turn, which keeps only the last of a step's moves.
  static const int kQueued = NumberOf(StepState(Queued{}));
  if (std::holds_alternative<Assigned>(moved.state) && facts.state != kQueued &&
      facts.state != state) {
    facts.queued_us = absl::ToUnixMicros(moved.at);
  }
  if (std::int32_t* counter = CounterOf(facts.state, &run->row)) --*counter;
  if (std::int32_t* counter = CounterOf(state, &run->row)) ++*counter;
  facts.state = state;
  facts.preempted = IsPreempted(moved.state);
  facts.attempt = moved.attempt;
  Enter(moved.state, absl::ToUnixMicros(moved.at), &facts);
  run->row.revision = revision;
  return true;
}

bool Fold(const StepsAdded& added, std::int64_t revision, RunFacts* run) {
  if (added.first != run->steps.size()) return false;
  run->steps.resize(added.first + added.count);
  run->row.added_steps += added.count;
  run->row.revision = revision;
  return true;
}

StepRow RowOf(const StepMoved& latest, const StepFacts& facts, std::int64_t revision) {
  StepRow row;
  row.index = latest.step.index;
  row.attempt = latest.attempt;
  row.state = latest.state;
  row.machine = facts.machine;
  row.queued_us = facts.queued_us;
  row.started_us = facts.started_us;
  row.ended_us = facts.ended_us;
  row.revision = revision;
  row.lack = latest.lack;
  row.usage = latest.usage;
  row.raise = latest.raise;
  row.runtime = facts.runtime;
  row.held = facts.held;
  return row;
}

std::int64_t SizeOf(const Batch& batch) {
  std::size_t bytes = sizeof(Batch) + batch.changes.capacity() * sizeof(Change);
  for (const Change& change : batch.changes) {
    const auto* moved = std::get_if<StepMoved>(&change);
    const auto* done = moved == nullptr ? nullptr : std::get_if<Succeeded>(&moved->state);
    if (moved != nullptr) bytes += moved->runtime.size();
    if (done != nullptr) bytes += done->outputs.size() * (sizeof(OutputValue) + 32);
    if (std::holds_alternative<RunAdded>(change)) bytes += 1024;
    if (const auto* steps = std::get_if<StepsAdded>(&change)) {
      bytes += 1024 * std::size_t{steps->count} + 64 * steps->values.size();
    }
  }
  return static_cast<std::int64_t>(bytes);
}

}  // namespace potok::server
