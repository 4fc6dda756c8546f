#include "server/domain/picker.h"

#include <algorithm>

namespace potok::server {

LevelPicker::LevelPicker(const State& state, std::int32_t priority)
    : state_(state), priority_(priority) {
  for (const auto& [name, runs] : state.queued.levels().at(priority).users) {
    users_.push_back({runs.begin(), runs.end(), {}});
    Fill(users_.back());
    if (Settle(users_.back())) order_.insert({users_.back().run->first, users_.size() - 1});
  }
}

std::optional<QueuePlace> LevelPicker::Next() {
  if (order_.empty()) return std::nullopt;
  UserCursor& user = users_[order_.begin()->second];
  const LaneCursor& lane = First(user);
  return QueuePlace{{user.run->first, lane.next->second}, priority_, lane.shape, lane.next->first};
}

void LevelPicker::Take() {
  UserCursor& user = users_[order_.begin()->second];
  LaneCursor& lane = First(user);
  ++lane.next;
  if (lane.next == lane.end) user.lanes.erase(user.lanes.begin() + (&lane - user.lanes.data()));
  PutBack();
}

void LevelPicker::Refuse() {
  UserCursor& user = users_[order_.begin()->second];
  user.lanes.erase(user.lanes.begin() + (&First(user) - user.lanes.data()));
  PutBack();
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
    if (!user.lanes.empty()) return true;
    ++user.run;
    Fill(user);
  }
  return false;
}

LevelPicker::LaneCursor& LevelPicker::First(UserCursor& user) {
  return *std::min_element(
      user.lanes.begin(), user.lanes.end(), [](const LaneCursor& a, const LaneCursor& b) {
        return *a.next < *b.next;
      });
}

void LevelPicker::PutBack() {
  const std::size_t number = order_.begin()->second;
  order_.erase(order_.begin());
  UserCursor& user = users_[number];
  if (Settle(user)) order_.insert({user.run->first, number});
}

Picker::Picker(const State& state) : state_(state), next_(state.queued.levels().begin()) {}

std::optional<QueuePlace> Picker::Next() {
  while (true) {
    if (current_.has_value()) {
      if (auto next = current_->Next(); next.has_value()) return next;
    }
    if (next_ == state_.queued.levels().end()) return std::nullopt;
    current_.emplace(state_, next_->first);
    ++next_;
  }
}

}  // namespace potok::server
