// Which steps are trials of a sweep, so that their metric is heard of as they log it; of a trial
// that took an earlier one's result, what that one logged. Thread-safe; never blocks.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/runtime/mutex.h"
#include "server/store/store.h"
#include "server/tracking/metric_sink.h"

namespace potok::server {

class TrialMetrics {
 public:
  // From now on what is committed is wanted there, and at once all that was before. `wanted`
  // outlives this, or Committed is called no more.
  void Attach(WantedMetrics& wanted);

  // In the order of revisions; what was loaded at a start first.
  void Committed(const Batch& batch);

 private:
  struct Wish {
    StepKey step;
    std::string metric;
    // Of a trial that took the result of an earlier one: whose, and its own attempt.
    std::optional<AttemptKey> taken_from = std::nullopt;
    std::uint32_t attempt = 0;
  };

  void Added(const StepsAdded& added) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Moved(const StepMoved& moved) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Ended(RunId run) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Mutex mutex_;
  WantedMetrics* wanted_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::map<RunId, std::vector<Wish>> wishes_ ABSL_GUARDED_BY(mutex_);  // of runs that go on
};

}  // namespace potok::server
