// Who is to be told that a run has ended, and who has been. Beside the scheduler. Thread-safe: a
// connection for each call, which blocks. Errors: UNAVAILABLE, ABORTED; then nothing has changed,
// or the whole call has and may be repeated. docs/decisions/0035-notifications.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/domain/change.h"

namespace potok::server {

enum class ReceiverKind { kRunWebhook = 1, kServerWebhook = 2, kCommand = 3 };

struct Receiver {
  ReceiverKind kind = ReceiverKind::kRunWebhook;
  std::string address;  // a URL with all its secrets, or a program's path
  auto operator<=>(const Receiver&) const = default;
};

// A run that has ended and of which nobody has been told.
struct EndedRun {
  RunId run = 0;
  std::int64_t revision = 0;  // in which it ended
  bool operator==(const EndedRun&) const = default;
};

enum class DeliveryState { kWaiting = 1, kDelivered = 2, kGivenUp = 3 };

struct Delivery {
  std::string id;  // told to the receiver: the same in all tries, another for each delivery
  RunId run = 0;
  Receiver receiver;
  std::string body;
  DeliveryState state = DeliveryState::kWaiting;
  std::int64_t tries = 0;
  std::string last_error;
  absl::Time created;
  absl::Time next_try;  // of one that waits
  absl::Time finished;  // of one that does not
};

class NotificationStore {
 public:
  virtual ~NotificationStore() = default;

  // From which revision of the journal on each of the server's own `receivers` is told, in their
  // order: the first after that at which it was first given. Those that are not given any more are
  // forgotten.
  virtual absl::StatusOr<std::vector<std::int64_t>> Begin(
      const std::vector<Receiver>& receivers) = 0;

  // At most `limit`, in the order in which they ended.
  virtual absl::StatusOr<std::vector<EndedRun>> Ended(int limit) = 0;
  // In one transaction: the run is no longer among those that have ended, and `deliveries`, all of
  // this run, wait. Nothing for a run that is not among them.
  virtual absl::Status Settle(RunId run, const std::vector<Delivery>& deliveries) = 0;

  // The first to be tried of each receiver but those in `busy`, among those whose time has come;
  // at most `limit`, the longest due first.
  virtual absl::StatusOr<std::vector<Delivery>> Due(absl::Time now,
                                                    const std::vector<Receiver>& busy,
                                                    int limit) = 0;
  // When the next is due that waits; InfiniteFuture if none does.
  virtual absl::StatusOr<absl::Time> NextDue() = 0;
  // Keeps what came of a try: state, tries, last_error, next_try, finished.
  virtual absl::Status Put(const Delivery& delivery) = 0;
  // Of the run, by receiver; without their bodies.
  virtual absl::StatusOr<std::vector<Delivery>> OfRun(RunId run) = 0;
  // Deletes those that were finished before.
  virtual absl::Status DeleteFinished(absl::Time before) = 0;
};

}  // namespace potok::server
