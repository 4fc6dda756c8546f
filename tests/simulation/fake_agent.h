// An agent and its machine, in as much as the scheduler can tell: processes that begin and end,
// a disk that outlives crashes, a lease on its own clock.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "server/domain/effect.h"
#include "server/domain/event.h"
#include "tests/simulation/ledger.h"
#include "tests/simulation/random.h"

namespace potok::server {

struct HeartbeatAck {
  absl::Time sent;
};
using DownMessage = std::variant<SendWelcome, StartOrder, StopOrder, SendAck, HeartbeatAck>;

class FakeAgent {
 public:
  FakeAgent(std::string name, Random* random, Ledger* ledger, Break broken);

  const std::string& name() const { return facts_.name; }
  bool up() const { return up_; }
  SessionId session() const { return session_; }
  bool RunsAnything() const { return !processes_.empty(); }
  std::vector<AttemptKey> Alive() const;

  // Faults. A crash leaves processes alone unless they are lost with it; a boot ends them all.
  void Crash(bool with_processes);
  void Boot();
  void Start() { up_ = true; }

  // The link.
  void Connect(SessionId session, absl::Time now);
  void Disconnect() {
    session_ = 0;
    welcomed_ = false;
    outbox_.clear();
  }
  void Receive(const DownMessage& message, absl::Time now);
  std::vector<Event> TakeOutbox() { return std::exchange(outbox_, {}); }

  // It has said Hello and not heard Welcome.
  bool greets() const { return session_ != 0 && !welcomed_; }
  // Lets time pass: processes go on, the lease may end.
  void Advance(absl::Time now);

 private:
  enum class Stage { kPreparing, kRunning, kUploading };
  struct Process {
    Stage stage = Stage::kPreparing;
    absl::Time next;  // when the stage ends
    std::int64_t memory_bytes = 0;
  };

  void OnStart(const StartOrder& order, absl::Time now);
  void OnStop(const StopOrder& order);
  void OnWelcome(const SendWelcome& welcome);
  void Progress(const AttemptKey& key, Process& process, absl::Time now);
  void Kill(const AttemptKey& key);
  void KillAll();
  void Finish(const AttemptKey& key, StepEvent event);  // keeps the report until acknowledged
  void SendReport(const AttemptKey& key, const StepEvent& event);

  Random& random_;
  Ledger& ledger_;
  const Break broken_;
  MachineChanged facts_;
  bool up_ = true;
  int boots_ = 1;

  // On disk.
  std::set<AttemptKey> begun_;
  std::map<AttemptKey, Report> unacknowledged_;
  std::set<AttemptKey> vanished_;  // ended while nobody looked
  // The machine's.
  std::map<AttemptKey, Process> processes_;
  absl::Time lease_end_ = absl::InfinitePast();
  absl::Duration lease_ = absl::ZeroDuration();
  // The agent process's.
  SessionId session_ = 0;
  bool welcomed_ = false;
  absl::Time hello_sent_;
  absl::Time next_heartbeat_;
  std::vector<Event> outbox_;
};

}  // namespace potok::server
