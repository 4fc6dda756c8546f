#include "server/rpc/trial_metrics.h"

#include <algorithm>

namespace potok::server {

void TrialMetrics::Attach(WantedMetrics& wanted) {
  MutexLock lock(mutex_);
  wanted_ = &wanted;
  for (const auto& [run, wishes] : wishes_) {
    for (const Wish& wish : wishes) {
      wanted_->Want(wish.step, wish.metric);
      if (wish.taken_from)
        wanted_->Recall(
            *wish.taken_from, {wish.step.run, wish.step.index, wish.attempt}, wish.metric);
    }
  }
}

void TrialMetrics::Added(const StepsAdded& added) {
  for (std::uint32_t i = 0; !added.metric.empty() && i < added.count; ++i) {
    const StepKey step{added.run, added.first + i};
    wishes_[added.run].push_back({step, added.metric});
    if (wanted_ != nullptr) wanted_->Want(step, added.metric);
  }
}

void TrialMetrics::Ended(RunId run) {
  const auto ended = wishes_.find(run);
  if (ended == wishes_.end()) return;
  for (const Wish& wish : ended->second) {
    if (wanted_ != nullptr) wanted_->Forget(wish.step);
  }
  wishes_.erase(ended);
}

void TrialMetrics::Moved(const StepMoved& moved) {
  const auto* succeeded = std::get_if<Succeeded>(&moved.state);
  if (succeeded == nullptr || !succeeded->reused.has_value()) return;
  const auto wishes = wishes_.find(moved.step.run);
  if (wishes == wishes_.end()) return;
  const auto wish = std::ranges::find(wishes->second, moved.step, &Wish::step);
  if (wish == wishes->second.end()) return;
  wish->taken_from = succeeded->reused->from;
  wish->attempt = moved.attempt;
  if (wanted_ == nullptr) return;
  wanted_->Recall(
      *wish->taken_from, {wish->step.run, wish->step.index, wish->attempt}, wish->metric);
}

void TrialMetrics::Committed(const Batch& batch) {
  MutexLock lock(mutex_);
  for (const Change& change : batch.changes) {
    if (const auto* added = std::get_if<StepsAdded>(&change)) {
      Added(*added);
    } else if (const auto* step = std::get_if<StepMoved>(&change)) {
      Moved(*step);
    } else if (const auto* moved = std::get_if<RunMoved>(&change)) {
      if (IsTerminal(moved->status)) Ended(moved->id);
    }
  }
}

}  // namespace potok::server
