#include "server/domain/picker.h"

#include <algorithm>

namespace potok::server {

bool RanksBefore(std::int32_t priority_a,
                 absl::Time since_a,
                 std::int32_t priority_b,
                 absl::Time since_b) {
  return kAgingPerPoint * (std::int64_t{priority_a} - priority_b) > since_a - since_b;
}

LevelPicker::LevelPicker(const State& state, std::int32_t priority, const PickedOver& over)
    : state_(state),
      priority_(priority),
      over_(over),
      level_(state.queued.levels().at(priority)),
      next_front_(level_.fronts.begin()) {
  for (const auto& [name, runs] : level_.users) {
    users_.push_back({runs.begin(), runs.end(), {}});
    Fill(users_.back());
    order_.insert({users_.back().run->first, users_.size() - 1});
  }
}

std::optional<QueuePlace> LevelPicker::First() {
  while (!order_.empty()) {
    const auto [id, number] = *order_.begin();
    UserCursor& user = users_[number];
    if (!Settle(user)) {
      order_.erase(order_.begin());
    } else if (user.run->first != id) {
      order_.erase(order_.begin());
      order_.insert({user.run->first, number});
    } else {
      const auto first = std::min_element(
          user.lanes.begin(), user.lanes.end(), [](const LaneCursor& a, const LaneCursor& b) {
            return *a.next < *b.next;
          });
      return QueuePlace{{id, first->next->second}, priority_, first->shape, first->next->first};
    }
  }
  return std::nullopt;
}

std::optional<QueuePlace> LevelPicker::Oldest() {
  while (true) {
    OpenFronts();
    if (fronts_.empty()) return std::nullopt;
    const auto [since, run, shape, index] = *fronts_.begin();
    const bool is_refused = over_.refused.contains({run, shape}) || over_.full.contains(run);
    if (!is_refused && !over_.taken.contains({run, index})) {
      return QueuePlace{{run, index}, priority_, shape, since};
    }
    fronts_.erase(fronts_.begin());
    if (is_refused) continue;
    const StepQueue::Lane& lane = LaneOf(run, shape);
    const auto next = lane.upper_bound({since, index});
    if (next != lane.end()) fronts_.insert({next->first, run, shape, next->second});
  }
}

// Looks at lanes until no other can have an older step.
void LevelPicker::OpenFronts() {
  while (next_front_ != level_.fronts.end() &&
         (fronts_.empty() || std::get<absl::Time>(*next_front_) <= std::get<0>(*fronts_.begin()))) {
    const auto& [since, run, shape] = *next_front_;
    fronts_.insert({since, run, shape, LaneOf(run, shape).begin()->second});
    ++next_front_;
  }
}

const StepQueue::Lane& LevelPicker::LaneOf(RunId run, std::uint32_t shape) const {
  return state_.queued.runs().at(run).levels.at(priority_).at(shape);
}

void LevelPicker::Fill(UserCursor& user) const {
  user.lanes.clear();
  if (user.run == user.end) return;
  const StepQueue::Run& run = state_.queued.runs().at(user.run->first);
  for (const auto& [shape, lane] : run.levels.at(priority_)) {
    user.lanes.push_back({shape, lane.begin(), lane.end()});
  }
}

bool LevelPicker::Settle(UserCursor& user) const {
  while (user.run != user.end) {
    const RunId run = user.run->first;
    if (over_.full.contains(run)) user.lanes.clear();
    std::erase_if(user.lanes, [&](LaneCursor& lane) {
      if (over_.refused.contains({run, lane.shape})) return true;
      while (lane.next != lane.end && over_.taken.contains({run, lane.next->second})) ++lane.next;
      return lane.next == lane.end;
    });
    if (!user.lanes.empty()) return true;
    ++user.run;
    Fill(user);
  }
  return false;
}

Picker::Picker(const State& state) : state_(state) {
  for (const auto& [priority, level] : state.queued.levels()) {
    levels_.emplace_back(state, priority, over_);
  }
}

void Picker::Take(std::uint32_t first, std::uint32_t count) {
  const RunRecord& run = state_.runs.at(next_->step.run);
  for (std::uint32_t i = first; i < first + count; ++i) over_.taken.insert({run.id, i});
  const std::uint32_t limit = LimitOf(run);
  if (limit == 0) return;
  over_.placed[run.id] += count;
  if (run.placed + over_.placed[run.id] >= limit) over_.full.insert(run.id);
}

bool Picker::MayTake(std::uint32_t count) {
  const RunRecord& run = state_.runs.at(next_->step.run);
  const std::uint32_t limit = LimitOf(run);
  if (limit == 0 || run.placed + over_.placed[run.id] + count <= limit) return true;
  over_.full.insert(run.id);
  return false;
}

std::optional<QueuePlace> Picker::Next() {
  next_.reset();
  while (!levels_.empty() && !next_.has_value()) {
    next_ = levels_.front().First();
    if (!next_.has_value()) levels_.pop_front();
  }
  if (!next_.has_value()) return next_;
  std::optional<QueuePlace> oldest = levels_.front().Oldest();
  for (auto level = levels_.begin() + 1; level != levels_.end(); ++level) {
    const std::optional<QueuePlace> other = level->Oldest();
    const bool is_before =
        other.has_value() &&
        RanksBefore(other->priority, other->since, oldest->priority, oldest->since);
    if (!is_before) continue;
    oldest = other;
    next_ = other;
  }
  return next_;
}

}  // namespace potok::server
