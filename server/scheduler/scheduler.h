// The loop: the one thread that owns the state. Each turn: take all that arrived, claim, decide,
// commit, then speak (ARCHITECTURE.md, "The life of one step").
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/runtime/mailbox.h"
#include "server/domain/decide.h"
#include "server/scheduler/metrics.h"
#include "server/scheduler/outbound.h"
#include "server/store/store.h"

namespace potok::server {

struct SchedulerOptions {
  DecideOptions decide;
  std::size_t mailbox_max = 100'000;
  // How long a proof that no other server has taken over may be old for the server to acknowledge
  // heartbeats (docs/decisions/0009-leases.md), and when it is renewed.
  absl::Duration epoch_proof_max = absl::Seconds(5);
  absl::Duration epoch_proof_renew = absl::Seconds(2);
};

// Builds a plan for a run that is read at start; reads its spec from the store.
using PlanLoader = std::function<absl::StatusOr<std::shared_ptr<const Plan>>(const Digest& spec)>;

class Scheduler {
 public:
  // All references outlive the scheduler.
  Scheduler(Store& store,
            Projector& projector,
            Outbound& outbound,
            const Clock& clock,
            SchedulerMetrics& metrics,
            SchedulerOptions options);

  // Loads what is live and takes over by committing ServerStarted. Blocks; before Run, on the same
  // thread.
  absl::Status Start(const PlanLoader& load_plan);

  // Turns until Stop. Returns OK after Stop, FAILED_PRECONDITION when another server took over.
  absl::Status Run();
  // One turn: takes what has arrived, waiting up to `timeout` for something. For tests too.
  absl::Status RunOnce(absl::Duration timeout);
  // Ends Run after the turn in progress. Thread-safe.
  void Stop();

  // Hands over an event. Thread-safe; never blocks. False: the mailbox is full
  // (RESOURCE_EXHAUSTED), or closed.
  bool Post(Event event);
  // For reports and hellos, which were accepted already and are bounded by what runs. False only
  // after Stop.
  bool PostAlways(Event event);
  // Runs `question` on the scheduler's thread between turns. Thread-safe; `question` must be quick.
  // False after Stop.
  bool Ask(std::function<void(const State&)> question);

  // The newest revision that is stored. Thread-safe.
  std::int64_t committed_revision() const { return committed_.load(std::memory_order_acquire); }
  // Whether a proof of leadership is fresh: heartbeats may be acknowledged. Thread-safe.
  bool MaySpeak() const;
  // Whether Start has taken over. Thread-safe.
  bool started() const { return started_.load(std::memory_order_acquire); }
  // What has arrived and was not taken up yet. Thread-safe.
  std::size_t mailbox_size() { return mailbox_.size(); }

 private:
  using Question = std::function<void(const State&)>;
  using Item = std::variant<Event, Question>;

  absl::Status Turn(std::vector<Event> events);
  absl::Status Claim(std::vector<Event>& events, std::vector<potok::server::Claim>& claims);
  std::vector<std::size_t> Refuse(const std::vector<Event>& events,
                                  const std::vector<std::size_t>& submissions,
                                  const std::vector<std::optional<std::string>>& holders);
  absl::Status CommitAndSpeak(Decision decision, const std::vector<potok::server::Claim>& claims);
  absl::Status ProveEpoch();
  absl::Status AttachPlans(std::vector<Change>& changes, const PlanLoader& load_plan);

  Store& store_;
  Projector& projector_;
  Outbound& outbound_;
  const Clock& clock_;
  SchedulerMetrics& metrics_;
  const SchedulerOptions options_;
  const std::string writer_;
  Mailbox<Item> mailbox_;
  State state_;
  absl::Time last_tick_;
  std::atomic<std::int64_t> committed_{0};
  std::atomic<std::int64_t> proof_us_{
      0};  // Clock time at which the last proof's read or commit began
  std::atomic<bool> stopping_{false};
  std::atomic<bool> started_{false};
};

}  // namespace potok::server
