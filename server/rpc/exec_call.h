// A command beside a step, between who asked for it and the agent that runs it.
#pragma once

#include <grpcpp/alarm.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/runtime/mutex.h"
#include "potok/v1/agents.pb.h"
#include "server/rpc/relay_end.h"

namespace potok::server {

using ExecCaller = RelayEnd<v1::ExecRequest, v1::ExecResponse>;
using ExecAgent = RelayEnd<v1::AgentExecMessage, v1::ExecRequest>;

// Thread-safe. Lives until both streams have ended.
class ExecCall : public std::enable_shared_from_this<ExecCall> {
 public:
  // `begin` is given the first message; it has somebody call Join, or End. `ended` is called once.
  struct Hooks {
    std::function<void(const std::shared_ptr<ExecCall>& call, const v1::ExecStart& start)> begin;
    std::function<void(const ExecCall& call)> ended;
  };
  ExecCall(std::string token, Hooks hooks) : token_(std::move(token)), hooks_(std::move(hooks)) {}

  const std::string& token() const { return token_; }

  void Start(std::shared_ptr<ExecCaller> caller);
  // Ends the call with `why` unless an agent has joined by then.
  void ExpectAgent(absl::Duration patience, const absl::Status& why);
  // The agent's stream, whose first message is read. False: another one has, or the call has ended.
  bool Join(const std::shared_ptr<ExecAgent>& agent);
  // What the joined agent's stream does, told by its handlers.
  void AgentRead(bool ok);
  void AgentWritten(bool ok);
  // Ends both streams, after this message to the caller. Idempotent: the first end counts.
  void End(const absl::Status& why, std::optional<v1::ExecResponse> last = std::nullopt);

 private:
  void CallerRead(bool ok);
  void CallerWritten(bool ok);
  std::shared_ptr<ExecAgent> agent();

  const std::string token_;
  const Hooks hooks_;
  std::shared_ptr<ExecCaller> caller_;
  bool begun_ = false;  // of the caller's reads alone

  grpc::Alarm patience_;

  Mutex mutex_;
  std::shared_ptr<ExecAgent> agent_ ABSL_GUARDED_BY(mutex_);
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace potok::server
