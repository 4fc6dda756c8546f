#include "common/runtime/real_clock.h"

#include <ctime>

#include "absl/time/clock.h"

namespace potok {

absl::Duration BootTime() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return absl::DurationFromTimespec(now);
}

RealClock::RealClock() : anchor_(absl::Now()), anchor_boottime_(BootTime()) {}

absl::Time RealClock::Now() const {
  return anchor_ + (BootTime() - anchor_boottime_);
}

}  // namespace potok
