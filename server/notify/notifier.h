// Tells receivers that runs have ended: at least once, whatever dies in between
// (docs/decisions/0035-notifications.md). Beside the scheduler, which knows nothing of it.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/registry.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/runtime/mutex.h"
#include "common/runtime/worker_pool.h"
#include "server/artifacts/web_network.h"
#include "server/notify/delivery_rules.h"
#include "server/notify/ending.h"
#include "server/store/notification_store.h"

namespace potok::server {

struct NotifierOptions {
  std::vector<Receiver> standing;  // those of the server itself
  std::string secret;              // signs what webhooks get; empty: it is not signed
  WebOptions web;
  absl::Duration look_every = absl::Seconds(1);  // for runs that have ended
  absl::Duration post_timeout = absl::Seconds(10);
  absl::Duration command_timeout = absl::Seconds(60);
  absl::Duration kept_for = absl::Hours(7 * 24);  // after it was delivered or given up
};

// One thread makes notifications of what has ended and hands them to a few others, one at a time
// for each receiver, so that one that hangs holds up only its own. Thread-safe.
class Notifier {
 public:
  // How a run has ended. NOT_FOUND; UNAVAILABLE. Blocks; called by the notifier's thread.
  using Describe = std::function<absl::StatusOr<Ending>(RunId)>;

  // `store` and `registry` outlive this.
  Notifier(NotificationStore& store,
           Describe describe,
           NotifierOptions options,
           prometheus::Registry& registry);
  ~Notifier() { Stop(); }
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  // Begins; from now on the server's own receivers are told. Errors are those of the store.
  absl::Status Start();
  // Ends within about a second. A try under way is given up, and made again after the next start.
  // Idempotent.
  void Stop();

 private:
  void Run();
  void Look(absl::Time now);
  // False if the store cannot be asked.
  bool Settle(const EndedRun& ended);
  void HandOut(absl::Time now);
  void Deliver(Delivery delivery);
  Outcome Try(const Delivery& delivery) const;
  Outcome TryCommand(const Delivery& delivery) const;
  void Count(const Delivery& delivery, const Outcome& outcome);
  bool IsStopping() const;
  // As long as it does not stop.
  void Pause(absl::Duration time);
  std::vector<Receiver> BusyReceivers();

  NotificationStore& store_;
  const Describe describe_;
  const NotifierOptions options_;
  prometheus::Counter& delivered_;
  prometheus::Counter& failed_;
  prometheus::Counter& given_up_;
  std::vector<StandingReceiver> standing_;
  absl::Time next_due_ = absl::InfinitePast();     // of the notifier's thread
  absl::Time next_delete_ = absl::InfinitePast();  // likewise

  mutable Mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool is_concluded_ ABSL_GUARDED_BY(mutex_) = false;  // a try, since the last look
  std::vector<Receiver> busy_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<WorkerPool> tries_;
  std::thread thread_;
};

}  // namespace potok::server
