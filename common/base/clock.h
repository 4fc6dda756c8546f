// Time as a parameter: nothing pure reads a clock.
#pragma once

#include "absl/time/time.h"

namespace potok {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  // Wall time that never goes back: anchored once and advanced by a clock that counts suspend too
  // (CLOCK_BOOTTIME, clock_gettime(2)), so that a step of the system's clock cannot expire a lease.
  virtual absl::Time Now() const = 0;
};

}  // namespace potok
