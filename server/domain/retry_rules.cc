// What time brings about, and attempts after those that failed.
#include <algorithm>
#include <cmath>

#include "common/pipeline/control.h"
#include "fmt/format.h"
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
    const std::int64_t limit = run.plan->step(index).queue_timeout_seconds;
    const absl::Duration waited = turn.now - std::max(since, run.released);
    if (limit > 0 && waited >= absl::Seconds(limit))
      late->emplace_back(StepKey{run.id, index}, limit);
  }
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

bool RetryAttempt(Turn& turn, const StepKey& key, const Failure& failure) {
  const RunRecord& run = turn.state.runs.at(key.run);
  const StepRecord& step = run.steps[key.index];
  if (PlacementOf(step.state) == nullptr || std::holds_alternative<Stopping>(step.state)) {
    return false;
  }
  const RetryPolicy& retry = run.plan->step(key.index).retry;
  // Those that were lost with their machine are not the step's.
  const auto failures = static_cast<std::int32_t>(step.attempt - step.machine_lost);
  const std::optional<absl::Duration> delay = DelayOfRetry(retry, failures, failure);
  if (!delay.has_value()) return false;
  MoveStep(turn, key, RetryWanted{turn.now + *delay, failure});
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
