// How long to wait before the next attempt to connect. Pure; one thread.
#pragma once

#include <algorithm>
#include <cstdint>

#include "absl/time/time.h"

namespace potok::agent {

// Doubles from 0.2 s to 5 s, jittered over [half, whole], so that the agents of a cluster do not
// come back in step.
class Backoff {
 public:
  explicit Backoff(std::uint64_t seed) : state_(seed | 1) {}

  void Reset() { ceiling_ = kFirst; }

  absl::Duration Next() {
    // xorshift64: jitter needs no better generator.
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    const double fraction = 0.5 + 0.5 * static_cast<double>(state_ % 1024) / 1024.0;
    const absl::Duration wait = ceiling_ * fraction;
    ceiling_ = std::min(ceiling_ * 2, kLast);
    return wait;
  }

 private:
  static constexpr absl::Duration kFirst = absl::Milliseconds(200);
  static constexpr absl::Duration kLast = absl::Seconds(5);
  absl::Duration ceiling_ = kFirst;
  std::uint64_t state_;
};

}  // namespace potok::agent
