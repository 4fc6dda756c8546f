// Who is told of a run, and what comes of a try. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "server/notify/ending.h"
#include "server/store/notification_store.h"

namespace potok::server {

// One that the server itself tells, of runs that ended in this revision of the journal or later.
struct StandingReceiver {
  Receiver receiver;
  std::int64_t from_revision = 0;
};

// Everyone who is told of a run that ended in this revision, each once: those that the run names,
// if it ended as they want it, then the server's.
std::vector<Receiver> ReceiversOf(const Ending& ending,
                                  std::int64_t revision,
                                  const std::vector<StandingReceiver>& standing);

// What a try came to.
struct Outcome {
  enum class Kind {
    kDelivered,
    kFailed,   // and may succeed later
    kRefused,  // and will never succeed
    kStopped,  // the server stops: as if it had not been
  };
  Kind kind = Kind::kDelivered;
  std::string error;  // one line, without secrets
};

// How long to wait after so many tries: 1 s, doubled each time, at most 10 min.
absl::Duration WaitAfter(std::int64_t tries);

// Tried for so long, and then given up.
inline constexpr absl::Duration kTriedFor = absl::Hours(24);

// Puts into `delivery` what a try that ended at `now` came to.
void Conclude(const Outcome& outcome, absl::Time now, Delivery* delivery);

}  // namespace potok::server
