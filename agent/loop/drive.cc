#include "agent/loop/drive.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "common/runtime/real_clock.h"

namespace potok::agent {
namespace {

int OpenStopSignals() {
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  const int descriptor = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
  POTOK_CHECK(descriptor >= 0);
  return descriptor;
}

void Watch(int epoll, int descriptor) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = descriptor;
  POTOK_CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0);
}

// Rounded up, so that what is due at `next` is due when the wait ends.
int MillisecondsUntil(absl::Duration next) {
  const absl::Duration wait = std::clamp(next - BootTime(), absl::ZeroDuration(), absl::Minutes(1));
  return static_cast<int>(absl::ToInt64Milliseconds(absl::Ceil(wait, absl::Milliseconds(1))));
}

}  // namespace

void Drive(AgentLoop& loop, Inbox& inbox, const Executor& executor) {
  const int signals = OpenStopSignals();
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  POTOK_CHECK(epoll >= 0);
  Watch(epoll, signals);
  Watch(epoll, inbox.descriptor());
  Watch(epoll, executor.events());
  absl::Duration next = BootTime();
  while (!loop.done()) {
    std::array<epoll_event, 4> ready{};
    epoll_wait(epoll, ready.data(), static_cast<int>(ready.size()), MillisecondsUntil(next));
    std::vector<LoopEvent> events = inbox.TakeAll();
    signalfd_siginfo signal{};
    while (read(signals, &signal, sizeof signal) > 0) events.emplace_back(StopSignal{});
    next = loop.Turn(BootTime(), std::move(events));
  }
  close(epoll);
  close(signals);
}

}  // namespace potok::agent
