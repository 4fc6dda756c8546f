// The agent's conversation with the server, as plain values. Port of the agent's loop; the real one
// is grpc_link.h.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agent/domain/exec_order.h"
#include "agent/domain/order.h"
#include "agent/domain/report.h"

namespace potok::agent {

struct OfferedGpu {
  int index = 0;
  std::string model;
  std::int64_t memory_bytes = 0;
  std::string uuid;
};

// What this machine is; the same at every connection.
struct Introduction {
  std::string machine;
  std::string state_id;
  std::string boot_id;
  std::string agent_version;
  Resources capacity;
  std::vector<OfferedGpu> gpus;
  std::map<std::string, std::string> labels;
  std::vector<std::string> pools;
  std::string isolation;
  std::vector<std::string> runtimes;  // as in potok.v1.Hello
  std::int64_t cache_bytes = 0;       // likewise
  bool allows_exec = false;           // likewise
};

struct Hello {
  Introduction introduction;
  std::vector<AttemptKey> live;
  std::vector<Report> unacknowledged;
};

struct Welcome {
  absl::Duration lease;  // zero: for ever
  absl::Duration heartbeat_interval;
  std::vector<AttemptKey> keep;
};
struct StartOrder {
  AttemptOrder order;
  std::string serialized;  // what it was made from, to be kept on disk
};
// An order that makes no sense: reported as a failure to start.
struct UnusableOrder {
  AttemptKey key;
  std::string message;
};
struct StopOrder {
  AttemptKey key;
  absl::Duration grace;
};
struct HeartbeatAcknowledged {
  std::uint64_t sequence = 0;
};
struct ReportsAcknowledged {
  std::vector<AttemptKey> keys;
};
struct LinkClosed {
  absl::Status status;
};
using ServerWord = std::variant<Welcome,
                                StartOrder,
                                UnusableOrder,
                                StopOrder,
                                HeartbeatAcknowledged,
                                ReportsAcknowledged,
                                ExecOrder,
                                LinkClosed>;

// What came over a stream, in its order. `session` tells words of an older stream apart.
struct LinkNews {
  std::uint64_t session = 0;
  std::vector<ServerWord> words;
};

// One thread calls. Nothing blocks and nothing fails: a stream that breaks, or whose unsent
// messages pile up, ends with LinkClosed.
class Link {
 public:
  virtual ~Link() = default;
  // Opens a new stream and says hello; an older one is dropped without LinkClosed.
  virtual void Open(std::uint64_t session, const Hello& hello) = 0;
  // `usage` is of running attempts; empty: nothing new is said of it.
  virtual void SendHeartbeat(std::uint64_t sequence, const std::vector<UsageSoFar>& usage) = 0;
  virtual void SendReports(const std::vector<Report>& reports) = 0;
  // Says that no step is left behind, waits until it is said (at most a second), and closes.
  virtual void SayGoodbye() = 0;
};

}  // namespace potok::agent
