// One command beside an attempt, from the call of Agents.Exec to its end.
#pragma once

#include <grpcpp/client_context.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "agent/exec/exec_sessions.h"
#include "agent/exec/side_process.h"
#include "common/runtime/mutex.h"
#include "potok/v1/agents.grpc.pb.h"

namespace potok::agent {

class ExecSession {
 public:
  ExecSession(ExecSettings settings, ExecOrder order, absl::StatusOr<ExecCommand> command)
      : settings_(std::move(settings)), order_(std::move(order)), command_(std::move(command)) {}

  const AttemptKey& key() const { return order_.key; }

  // Blocks until the command has ended, or the call has. Once, on a thread of its own.
  void Run(const std::shared_ptr<grpc::Channel>& channel);

  // Any thread; these do not block.
  void Kill();
  void Cut();  // ends the call, too

 private:
  using Stream = grpc::ClientReaderWriter<v1::AgentExecMessage, v1::ExecRequest>;

  absl::StatusOr<SideEnd> RunCommand(Stream& stream);
  void TakeRequests(Stream& stream);
  absl::StatusOr<SideEnd> ForwardAll(Stream& stream);
  void ForwardFrom(int from, bool is_error, Stream& stream);

  const ExecSettings settings_;
  const ExecOrder order_;
  const absl::StatusOr<ExecCommand> command_;
  grpc::ClientContext context_;
  std::thread requests_;               // takes what the client sends
  std::unique_ptr<SideProcess> side_;  // set before that thread begins

  Mutex mutex_;
  SideProcess* live_ ABSL_GUARDED_BY(mutex_) = nullptr;
  bool killed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace potok::agent
