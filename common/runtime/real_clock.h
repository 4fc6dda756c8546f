// The clock of this machine. Thread-safe.
#pragma once

#include "common/base/clock.h"

namespace potok {

// Wall time at construction, advanced by CLOCK_BOOTTIME: see Clock.
class RealClock final : public Clock {
 public:
  RealClock();
  absl::Time Now() const override;

 private:
  absl::Time anchor_;
  absl::Duration anchor_boottime_;
};

// Time since boot, suspend included (CLOCK_BOOTTIME, clock_gettime(2)).
absl::Duration BootTime();

}  // namespace potok
