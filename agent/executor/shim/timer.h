// Time in the shim: nanoseconds of CLOCK_BOOTTIME, which also counts while the machine sleeps.
#pragma once

#include <signal.h>
#include <time.h>

#include <cstdint>

#include "agent/executor/shim/system_calls.h"

namespace potok::shim {

inline constexpr std::int64_t kNever = INT64_MAX;

inline std::int64_t Smaller(std::int64_t a, std::int64_t b) {
  return a < b ? a : b;
}

inline std::int64_t Later(std::int64_t now, std::int64_t duration) {
  return duration > kNever - now ? kNever : now + duration;
}

inline std::int64_t Now() {
  timespec now = {};
  Call(SYS_clock_gettime, CLOCK_BOOTTIME, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

// One timer for whatever is due next. It counts suspended time, unlike the time-out of a wait.
class Timer {
 public:
  void ArmAt(std::int64_t at) {
    if (at == armed_at_) return;
    if (!made_) {
      sigevent event = {};
      event.sigev_notify = SIGEV_SIGNAL;
      event.sigev_signo = SIGALRM;
      if (Call(SYS_timer_create, CLOCK_BOOTTIME, &event, &timer_) < 0) return;
      made_ = true;
    }
    armed_at_ = at;
    itimerspec when = {};
    if (at != kNever) {
      // All zero would disarm it.
      when.it_value.tv_sec = at > 0 ? at / 1'000'000'000 : 0;
      when.it_value.tv_nsec = at > 0 ? at % 1'000'000'000 : 1;
    }
    Call(SYS_timer_settime, timer_, TIMER_ABSTIME, &when, nullptr);
  }

  // To be called when SIGALRM came: the timer is not armed any more.
  void Fired() { armed_at_ = kNever; }

 private:
  int timer_ = 0;
  bool made_ = false;
  std::int64_t armed_at_ = kNever;
};

}  // namespace potok::shim
