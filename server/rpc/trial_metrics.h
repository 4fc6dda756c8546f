// Which steps are trials of a sweep, so that their metric is heard of as they log it. Thread-safe;
// never blocks.
#pragma once

#include <map>
#include <string>
#include <utility>
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
  using Wish = std::pair<StepKey, std::string>;

  Mutex mutex_;
  WantedMetrics* wanted_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::map<RunId, std::vector<Wish>> wishes_ ABSL_GUARDED_BY(mutex_);  // of runs that go on
};

}  // namespace potok::server
