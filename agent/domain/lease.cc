#include "agent/domain/lease.h"

namespace potok::agent {

void Lease::HelloSent(absl::Duration now) {
  unacknowledged_.clear();
  unacknowledged_.push_back({0, now});
  next_ = 1;
}

void Lease::Welcomed(absl::Duration length) {
  length_ = length > absl::ZeroDuration() ? length : absl::InfiniteDuration();
  Acknowledged(0);
}

std::uint64_t Lease::HeartbeatSent(absl::Duration now) {
  unacknowledged_.push_back({next_, now});
  return next_++;
}

void Lease::Acknowledged(std::uint64_t sequence) {
  while (!unacknowledged_.empty() && unacknowledged_.front().sequence <= sequence) {
    deadline_ = unacknowledged_.front().at + length_;
    unacknowledged_.pop_front();
  }
}

}  // namespace potok::agent
