// Until when attempts may run without the server's word. Pure; one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <utility>

#include "absl/time/time.h"

namespace potok::agent {

// The deadline is the *send* time of the last acknowledged heartbeat plus the lease's length, on
// CLOCK_BOOTTIME: the server counts from its receipt, which is later, so the attempts are dead
// before they are placed anew. Hello counts as heartbeat 0, acknowledged by Welcome.
class Lease {
 public:
  // A new session begins: heartbeats of older ones are acknowledged no more.
  void HelloSent(absl::Duration now);
  // `length` zero: for ever.
  void Welcomed(absl::Duration length);

  // The sequence number of the heartbeat to send now.
  std::uint64_t HeartbeatSent(absl::Duration now);
  void Acknowledged(std::uint64_t sequence);

  // InfiniteDuration() before the first Welcome: an earlier agent's deadline, if any, stands.
  absl::Duration deadline() const { return deadline_; }

 private:
  struct Sent {
    std::uint64_t sequence;
    absl::Duration at;
  };
  absl::Duration length_ = absl::InfiniteDuration();
  absl::Duration deadline_ = absl::InfiniteDuration();
  std::uint64_t next_ = 1;
  std::deque<Sent> unacknowledged_;
};

}  // namespace potok::agent
