// What goes into the decision core. Times are the server's clock at arrival.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/domain/change.h"

namespace potok::server {

// A stream of an agent; a newer session of a machine replaces the older. Numbered by the server,
// never reused.
using SessionId = std::uint64_t;
// Names a caller that waits for an answer.
using ReplyToken = std::uint64_t;

struct RunSubmitted {
  ReplyToken reply = 0;
  std::string name;        // claimed, unique
  std::string request_id;  // claimed, unique
  Digest spec;
  std::shared_ptr<const Plan> plan;
  std::string submitter;
  // Results that were found for its steps: taken if all that is upstream of them is as it was
  // assumed.
  std::shared_ptr<const FoundResults> found = nullptr;
  // What it starts after, and how that ended if the caller found that it had.
  struct Predecessor {
    After after;
    std::optional<RunStatus> ended;
  };
  std::vector<Predecessor> after = {};
};

// The answer to FindResult: bytes are there, and what is written besides has been written.
struct ResultLookedUp {
  StepKey step;
  std::optional<Result> result;
  ResultLack lack = ResultLack::kNone;
};

struct CancelRequested {
  ReplyToken reply = 0;
  std::string run;  // its name
  std::string reason;
};

// Nothing more of the run is placed until it is released.
struct HoldRequested {
  ReplyToken reply = 0;
  std::string run;  // its name
  std::string by;
  std::string reason;
};

struct ReleaseRequested {
  ReplyToken reply = 0;
  std::string run;
};

// What is not given stays what it was.
struct MoveRequested {
  ReplyToken reply = 0;
  std::string run;
  std::optional<std::int32_t> priority;
  std::optional<std::string> pool;
};

struct Report {
  AttemptKey key;
  // Of StepEvent only the Attempt... alternatives.
  StepEvent event;
  std::optional<Usage> usage = std::nullopt;  // of an attempt that has ended, if its command ran
  std::string runtime = {};                   // as in potok.v1.Report
};

struct MachineHello {
  SessionId session = 0;
  MachineChanged machine;  // id, liveness and times are the domain's to fill
  std::vector<AttemptKey> live;
  std::vector<Report> unacknowledged;
  std::int64_t cache_bytes = 0;  // that its cache of artifacts may hold; 0: no limit
};

struct MachineReported {
  SessionId session = 0;
  std::string machine;
  std::vector<Report> reports;
};

// A heartbeat.
struct MachineHeard {
  SessionId session = 0;
  std::string machine;
  std::uint64_t sequence = 0;  // for the acknowledgement
};

struct MachineDisconnected {  // the stream broke; says nothing about the processes
  SessionId session = 0;
  std::string machine;
};

struct MachineGoodbye {
  SessionId session = 0;
  std::string machine;
};

struct MachineDeclaredDead {
  ReplyToken reply = 0;
  std::string machine;
};

// Of the events below: all machines are known, or nothing happens.
struct MachinesCordoned {
  ReplyToken reply = 0;
  std::vector<std::string> machines;
  bool drain = false;
  absl::Duration deadline = absl::InfiniteDuration();  // of a drain, from now
  std::string by;
  std::string reason;
};
struct MachinesUncordoned {
  ReplyToken reply = 0;
  std::vector<std::string> machines;
  std::string by;
  std::string reason;
};
struct MachinesLabeled {
  ReplyToken reply = 0;
  std::vector<std::string> machines;
  std::map<std::string, std::optional<std::string>> labels;  // without a value: removed
  std::string by;
  std::string reason;
};

// A pool is registered, or changed. `must_exist`: only changed.
struct PoolPut {
  ReplyToken reply = 0;
  std::string name;
  std::string selector;  // as PoolChanged's
  PoolLimits limits;
  std::string document;
  std::string by;
  bool must_exist = false;
  bool preemption = false;  // as PoolChanged's
  bool low_priority = false;
  bool spread = false;
  std::optional<absl::Duration> lease = std::nullopt;
  PoolImages images = PoolImages::kAsAgents;
};
struct PoolDeleted {
  ReplyToken reply = 0;
  std::string name;
};

// The outputs of a parallel_for were put together (effect ComposeOutputs), or not: then `status`
// says why.
struct OutputsComposed {
  StepKey step;
  absl::Status status;
  std::vector<OutputValue> outputs;
};

// A step of a sweep's trial logged the sweep's metric.
struct MetricReported {
  AttemptKey key;
  std::int64_t count = 0;  // of the attempt, from 1
  double value = 0;
};

// What is to be said of a team in one pool; what is not given stays.
struct PoolShareEdit {
  std::string pool;
  std::optional<std::int64_t> memory_bytes_max = std::nullopt;  // kNoLimit: without one
  std::optional<std::int64_t> cpu_millis_max = std::nullopt;
  std::optional<std::int64_t> gpu_millis_max = std::nullopt;
  std::optional<std::int64_t> running_steps_max = std::nullopt;
  std::optional<std::int64_t> memory_bytes_guaranteed = std::nullopt;
  std::optional<std::int64_t> cpu_millis_guaranteed = std::nullopt;
  std::optional<std::int64_t> gpu_millis_guaranteed = std::nullopt;
};

// What is not given stays what it was; of a team that is made, what a new TeamChanged has.
struct TeamEdit {
  std::optional<double> weight;
  std::optional<absl::Duration> half_life;
  std::optional<std::int64_t> memory_bytes_max;  // kNoLimit: without one
  std::optional<std::int64_t> cpu_millis_max;
  std::optional<std::int64_t> gpu_millis_max;
  std::optional<std::int64_t> running_steps_max;
  std::optional<std::int64_t> user_running_steps_max;
  std::optional<std::int64_t> memory_bytes_guaranteed;
  std::optional<std::int64_t> cpu_millis_guaranteed;
  std::optional<std::int64_t> gpu_millis_guaranteed;
  std::vector<std::string> add_users;
  std::vector<std::string> remove_users;
  std::vector<PoolShareEdit> pools;
};

// A person makes, changes or removes a team.
struct TeamEdited {
  enum class Kind { kCreate, kUpdate, kDelete };
  ReplyToken reply = 0;
  Kind kind = Kind::kUpdate;
  std::string name;
  TeamEdit edit = {};
};

// Time has passed: leases, unconfirmed orders.
struct Tick {};

using Event = std::variant<RunSubmitted,
                           ResultLookedUp,
                           CancelRequested,
                           MachineHello,
                           MachineReported,
                           MachineHeard,
                           MachineDisconnected,
                           MachineGoodbye,
                           MachineDeclaredDead,
                           Tick,
                           OutputsComposed,
                           MetricReported,
                           HoldRequested,
                           ReleaseRequested,
                           MoveRequested,
                           TeamEdited,
                           MachinesCordoned,
                           MachinesUncordoned,
                           MachinesLabeled,
                           PoolPut,
                           PoolDeleted>;

}  // namespace potok::server
