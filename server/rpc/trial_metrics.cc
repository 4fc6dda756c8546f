#include "server/rpc/trial_metrics.h"

namespace potok::server {

void TrialMetrics::Attach(WantedMetrics& wanted) {
  MutexLock lock(mutex_);
  wanted_ = &wanted;
  for (const auto& [run, wishes] : wishes_) {
    for (const auto& [step, metric] : wishes) wanted_->Want(step, metric);
  }
}

void TrialMetrics::Committed(const Batch& batch) {
  MutexLock lock(mutex_);
  for (const Change& change : batch.changes) {
    if (const auto* added = std::get_if<StepsAdded>(&change)) {
      for (std::uint32_t i = 0; !added->metric.empty() && i < added->count; ++i) {
        const StepKey step{added->run, added->first + i};
        wishes_[added->run].emplace_back(step, added->metric);
        if (wanted_ != nullptr) wanted_->Want(step, added->metric);
      }
    } else if (const auto* moved = std::get_if<RunMoved>(&change)) {
      if (!IsTerminal(moved->status)) continue;
      const auto ended = wishes_.find(moved->id);
      if (ended == wishes_.end()) continue;
      for (const auto& [step, metric] : ended->second) {
        if (wanted_ != nullptr) wanted_->Forget(step);
      }
      wishes_.erase(ended);
    }
  }
}

}  // namespace potok::server
