// When a trial of a sweep is stopped, because others do better. Pure.
#pragma once

#include <string>
#include <vector>

#include "common/pipeline/control.h"
#include "server/domain/metric_history.h"

namespace potok::server {

struct TrialHistory {
  const MetricHistory* values = nullptr;  // of the metric, one for each interval
  bool has_ended = false;
};

// Why the trial is stopped that has just reported its latest value; empty: it goes on. Trials are
// compared at the same interval: by what they had by then.
//   bandit                its best is worse than the best of all by more than the slack: the
//                         fraction of the best that 1 + slack_factor divides it to (minimize:
//                         multiplies), or slack_amount
//   median_stopping       its best is worse than the median of all trials' means
//   truncation_selection  it is among the worst so many per cent of those that came this far
// At intervals that evaluation_interval divides, from delay_evaluation on. Costs as much as there
// are trials, however much they logged.
std::string WhyStopTrial(const EarlyTermination& rule,
                         bool maximize,
                         const std::vector<TrialHistory>& trials,
                         std::size_t trial);

}  // namespace potok::server
