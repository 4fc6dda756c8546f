// What is said once the changes are committed. Effects are hints: what is lost is said again by
// resume.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "server/domain/event.h"

namespace potok::server {

// An input with its value known.
struct OrderInput {
  std::uint32_t input = 0;  // position in the step's inputs
  std::variant<std::string, Artifact> value;
};

// How the members of a step on several machines reach each other (gang.h).
struct GangFacts {
  std::int32_t rank = 0;
  std::vector<std::string> hosts;  // by rank: the label `address` of the machine, or its name;
                                   // 127.0.0.1 where all of them are on one
  std::int32_t port = 0;           // on the machine of rank 0; free as far as Potok knows
};

struct StartOrder {
  AttemptKey key;
  std::string run;                   // its name
  std::shared_ptr<const Plan> plan;  // the step is plan->definition(key.index)
  std::string command;               // optional blocks resolved
  std::vector<OrderInput> inputs;    // those that have a value
  std::vector<std::int32_t> gpus;
  std::optional<GangFacts> gang = std::nullopt;  // of a member of one
  std::int64_t memory_bytes = 0;                 // that the attempt asks for
  PoolImages images = PoolImages::kAsAgents;     // as its pool says
};
struct StopOrder {
  AttemptKey key;
  std::string reason;
};

struct SendOrder {
  SessionId session = 0;
  std::variant<StartOrder, StopOrder> order;
};
// The agent may forget this terminal report.
struct SendAck {
  SessionId session = 0;
  AttemptKey key;
};
// The machine was heard: it may count its lease from when it sent this heartbeat. Said only where
// the server counts from now, so that never one side alone takes the lease for renewed.
struct AckHeartbeat {
  SessionId session = 0;
  std::uint64_t sequence = 0;
};
struct SendWelcome {
  SessionId session = 0;
  absl::Duration lease;
  std::vector<AttemptKey> keep;
};
struct CloseSession {
  SessionId session = 0;
  absl::Status why;
};
// Look for a result that the step may take; the answer is ResultLookedUp.
struct FindResult {
  StepKey step;
  Fingerprint fingerprint{};
  absl::Duration max_age;  // of the result; infinite: any
  std::string run;         // its name
  std::shared_ptr<const Plan> plan;
};
// The answer to RunSubmitted (value: the run's name), PoolPut ("created" or "changed"),
// CancelRequested, MachineDeclaredDead, and what a person says of machines.
struct Answer {
  ReplyToken reply = 0;
  absl::Status status;
  std::string value;
};
// A control step is done, and what it gives is to be made of what its bodies made: folders of what
// the items of a loop made, in their order, and copies where an output has a destination. Said
// again after a start; the answer is OutputsComposed.
struct ComposeOutputs {
  struct Output {
    std::string name;
    std::vector<std::pair<std::string, Artifact>> entries;  // the item's label, what it made
  };
  StepKey step;
  std::vector<Output> files;
  std::vector<OutputValue> known;  // of the other outputs
};
using Effect = std::variant<SendOrder,
                            SendAck,
                            AckHeartbeat,
                            SendWelcome,
                            CloseSession,
                            Answer,
                            FindResult,
                            ComposeOutputs>;

}  // namespace potok::server
