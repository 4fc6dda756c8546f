// The one thread that knows what this agent does. Everything that blocks or waits is elsewhere and
// posts here; a turn takes what has arrived, acts, and says everything in one message.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "agent/domain/backoff.h"
#include "agent/domain/lease.h"
#include "agent/link/link.h"
#include "agent/loop/attempt_table.h"

namespace potok::agent {

// Something that happened to one attempt outside the loop.
struct AttemptNews {
  AttemptKey key;
  AttemptEvent event;
};
// The agent is to end.
struct StopSignal {};
using LoopEvent = std::variant<LinkNews, AttemptNews, StopSignal>;

enum class OnStop {
  kLeave,  // running attempts go on under their shims; the next agent takes them up
  kKill,   // all attempts are ended and given back to the server
};

class AgentLoop {
 public:
  // All outlive the loop.
  struct Ports {
    AttemptTable& attempts;
    Executor& executor;
    Link& link;
    Execs* execs = nullptr;  // null: no commands are run beside attempts
  };
  struct Options {
    OnStop on_stop = OnStop::kLeave;
    int processors = 1;  // that run steps
    std::uint64_t jitter_seed = 1;
  };
  AgentLoop(Ports ports, Introduction introduction, const Options& options);

  // Handles events, processes and what is due at `now` (time since boot). Returns when it wants to
  // be called again even if nothing happens.
  absl::Duration Turn(absl::Duration now, std::vector<LoopEvent> events);

  // True when the program can end. A second stop signal does not wait for anything.
  bool done() const { return done_; }

 private:
  enum class Session { kClosed, kGreeting, kWelcomed };

  void Handle(LoopEvent event);
  void Handle(const Welcome& welcome);
  void Handle(StartOrder order);
  void Handle(const UnusableOrder& order);
  void Handle(const StopOrder& order);
  void Handle(const HeartbeatAcknowledged& acknowledged);
  void Handle(const ReportsAcknowledged& acknowledged);
  void Handle(const ExecOrder& order);
  void Handle(const LinkClosed& closed);
  void HandleStop();
  void OpenSession();
  void DoWhatIsDue();
  void Measure();
  std::vector<UsageSoFar> UsageToSay();
  void SayReports();
  // True while what is unsaid may wait for more to be said with it.
  bool HoldReports();
  void EndIfStopped();
  absl::Duration NextTurn() const;

  Ports ports_;
  const Introduction introduction_;
  const Options options_;
  absl::Duration now_;

  Session session_ = Session::kClosed;
  std::uint64_t session_number_ = 0;
  std::vector<AttemptKey> announced_;  // live in the last Hello
  absl::Duration open_at_;
  Backoff backoff_;
  int failures_ = 0;  // to connect, since the last welcome

  Lease lease_;
  absl::Duration heartbeat_interval_ = absl::Seconds(5);
  absl::Duration heartbeat_at_ = absl::InfiniteDuration();
  bool lease_expired_ = false;

  absl::Duration measure_at_ = absl::InfiniteDuration();  // while anything runs
  std::vector<UsageSoFar> measured_;                      // and not said
  absl::Duration usage_said_at_ = -absl::InfiniteDuration();

  std::vector<Report> unsaid_;
  absl::Duration first_unsaid_at_ = absl::InfiniteDuration();
  absl::Duration held_until_ = absl::InfiniteDuration();
  absl::Duration said_at_ = -absl::InfiniteDuration();
  bool stopping_ = false;
  absl::Duration give_up_at_ = absl::InfiniteDuration();
  bool done_ = false;
};

}  // namespace potok::agent
