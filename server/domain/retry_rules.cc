// What time brings about, and attempts after those that failed.
#include <algorithm>
#include <cmath>
#include <utility>

#include "common/pipeline/control.h"
#include "fmt/format.h"
#include "server/domain/placement.h"
#include "server/domain/turn.h"

namespace potok::server {

namespace {

// However the delay grows.
constexpr double kDelayMaxSeconds = 7.0 * 24 * 3600;

bool IsNamed(const RetryPolicy& retry, const char* cause) {
  return std::ranges::find(retry.on, cause) != retry.on.end();
}

bool Names(const RetryPolicy& retry, const Failure& failure) {
  if (failure.cause == FailureCause::kInternal) return false;
  const bool has_code = failure.cause == FailureCause::kExitCode;
  if (has_code && !retry.exit_codes.empty() &&
      std::ranges::find(retry.exit_codes, failure.code) == retry.exit_codes.end()) {
    return false;
  }
  if (retry.on.empty()) return true;
  switch (failure.cause) {
    case FailureCause::kExitCode:
    case FailureCause::kSignal:
      return IsNamed(retry, "exit_code");
    case FailureCause::kTimeout:
      return IsNamed(retry, "timeout");
    case FailureCause::kOutOfMemory:
      return IsNamed(retry, "oom");
    default:
      return false;
  }
}

void FailQueued(Turn& turn, const StepKey& key, std::int64_t limit_seconds) {
  const std::string message = fmt::format(
      "no machine had room for it within its queue_timeout of {} seconds", limit_seconds);
  MoveStep(turn, key, AttemptFailed{{FailureCause::kQueueTimeout, 0, message}});
}

void AddLate(const Turn& turn,
             const RunRecord& run,
             const StepQueue::Lane& lane,
             std::vector<std::pair<StepKey, std::int64_t>>* late) {
  for (const auto& [since, index] : lane) {
    const std::int64_t limit = run.plan->definition(index).queue_timeout_seconds;
    const absl::Duration waited = turn.now - std::max(since, run.released);
    if (limit > 0 && waited >= absl::Seconds(limit))
      late->emplace_back(StepKey{run.id, index}, limit);
  }
}

// By so much of memory that a step asks for is rounded up.
constexpr double kMiB = 1 << 20;

// What the attempts after one that ran out of memory ask for: its memory times the factor, or what
// the largest machine has that could hold it. Nothing where no machine has more than it had.
std::optional<MemoryRaise> RaiseOf(const Turn& turn, const RunRecord& run, const StepKey& key) {
  const Shape shape = ShapeAskedFor(run, key.index);
  MemoryRaise raise;
  raise.attempt = run.steps[key.index].attempt;
  raise.from_bytes = shape.request.memory_bytes;
  const double factor = run.plan->definition(key.index).retry.memory_factor;
  const double wanted = std::ceil(static_cast<double>(raise.from_bytes) * factor / kMiB) * kMiB;
  const std::int64_t most = MostMemoryFor(turn.state, shape, turn.options);
  raise.to_bytes = wanted <= static_cast<double>(most) ? static_cast<std::int64_t>(wanted) : most;
  if (raise.to_bytes <= raise.from_bytes) return std::nullopt;
  return raise;
}

// True if the next attempt is to ask for more.
bool WantsMoreMemory(const RunRecord& run, const StepKey& key, const Failure& failure) {
  return failure.cause == FailureCause::kOutOfMemory &&
         run.plan->definition(key.index).retry.memory_factor > 1 &&
         RequestOf(run, key.index).memory_bytes > 0;
}

// With the same memory it would run out of it again.
void FailForWantOfMachines(Turn& turn,
                           const RunRecord& run,
                           const StepKey& key,
                           Failure failure,
                           const std::optional<Usage>& usage) {
  failure.message += fmt::format(
      "; not tried again with more (retry.memory_factor): no machine that could hold the step has "
      "more than {}",
      FormatBytes(RequestOf(run, key.index).memory_bytes));
  MoveStep(turn, key, AttemptFailed{std::move(failure)}, {usage});
}

}  // namespace

std::optional<absl::Duration> DelayOfRetry(const RetryPolicy& retry,
                                           std::int32_t failures,
                                           const Failure& failure) {
  if (failures >= retry.max_attempts || !Names(retry, failure)) return std::nullopt;
  const double seconds =
      std::min(retry.delay_seconds * std::pow(retry.backoff, failures - 1), kDelayMaxSeconds);
  const absl::Duration delay = seconds > 0 ? absl::Seconds(seconds) : absl::ZeroDuration();
  return absl::Trunc(delay, absl::Microseconds(1));
}

bool RetryAttempt(Turn& turn,
                  const StepKey& key,
                  const Failure& failure,
                  const std::optional<Usage>& usage) {
  const RunRecord& run = turn.state.runs.at(key.run);
  const StepRecord& step = run.steps[key.index];
  if (PlacementOf(step.state()) == nullptr || std::holds_alternative<Stopping>(step.state())) {
    return false;
  }
  const RetryPolicy& retry = run.plan->definition(key.index).retry;
  // Those that were lost with their machine, or moved off it, are not the step's.
  const auto failures =
      static_cast<std::int32_t>(step.attempt - step.machine_lost - step.displaced);
  const std::optional<absl::Duration> delay = DelayOfRetry(retry, failures, failure);
  if (!delay.has_value()) return false;
  AttemptFacts facts{usage};
  if (WantsMoreMemory(run, key, failure)) {
    facts.raise = RaiseOf(turn, run, key);
    if (!facts.raise.has_value()) {
      FailForWantOfMachines(turn, run, key, failure, usage);
      return true;
    }
  }
  MoveStep(turn, key, RetryWanted{turn.now + *delay, failure}, facts);
  return true;
}

void EndDelays(Turn& turn) {
  while (!turn.state.delayed.empty() && turn.state.delayed.begin()->first <= turn.now) {
    EndDelay(turn, turn.state.delayed.begin()->second);
  }
}

void CheckQueueTimeouts(Turn& turn) {
  std::vector<std::pair<StepKey, std::int64_t>> late;
  for (const auto& [id, queue] : turn.state.queued.runs()) {
    const RunRecord& run = turn.state.runs.at(id);
    // What is held waits for a person, and not for a machine.
    if (run.plan == nullptr || !run.plan->has_queue_timeout || run.hold.has_value()) continue;
    for (const auto& [priority, lanes] : queue.levels) {
      for (const auto& [shape, lane] : lanes) AddLate(turn, run, lane, &late);
    }
  }
  std::sort(late.begin(), late.end());
  for (const auto& [key, limit] : late) FailQueued(turn, key, limit);
}

}  // namespace potok::server
