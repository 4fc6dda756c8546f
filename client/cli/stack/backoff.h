// How long to wait before a process that ended is started again. A value; pure.
#pragma once

#include <algorithm>

#include "absl/time/time.h"

namespace potok::client {

// 0.2 s, doubling to 10 s; a process that lived for 30 s starts anew at 0.2 s.
class Backoff {
 public:
  // The wait after an end, given how long the process had lived.
  absl::Duration AfterLifeOf(absl::Duration life) {
    if (life >= kLongLife) next_ = kFirst;
    const absl::Duration wait = next_;
    next_ = std::min(next_ * 2, kLongest);
    return wait;
  }

 private:
  static constexpr absl::Duration kFirst = absl::Milliseconds(200);
  static constexpr absl::Duration kLongest = absl::Seconds(10);
  static constexpr absl::Duration kLongLife = absl::Seconds(30);
  absl::Duration next_ = kFirst;
};

}  // namespace potok::client
