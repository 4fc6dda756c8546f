// The Agents service: streams of agents, and the logs of their attempts. Callback handlers only.
#pragma once

#include "potok/v1/agents.grpc.pb.h"
#include "server/logs/log_store.h"
#include "server/rpc/exec_calls.h"
#include "server/rpc/switchboard.h"

namespace potok::server {

class AgentsService final : public v1::Agents::CallbackService {
 public:
  AgentsService(Switchboard& switchboard, LogStore& logs, ExecCalls& execs)
      : switchboard_(switchboard), logs_(logs), execs_(execs) {}

  grpc::ServerBidiReactor<v1::AgentMessage, v1::ServerMessage>* Connect(
      grpc::CallbackServerContext* context) override;
  grpc::ServerBidiReactor<v1::AppendLogRequest, v1::AppendLogResponse>* AppendLog(
      grpc::CallbackServerContext* context) override;
  grpc::ServerBidiReactor<v1::AgentExecMessage, v1::ExecRequest>* Exec(
      grpc::CallbackServerContext* context) override;

 private:
  Switchboard& switchboard_;
  LogStore& logs_;
  ExecCalls& execs_;
};

}  // namespace potok::server
