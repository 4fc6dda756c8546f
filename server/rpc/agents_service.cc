#include "server/rpc/agents_service.h"

#include <memory>
#include <utility>

#include "common/rpc/status.h"
#include "server/rpc/convert.h"

namespace potok::server {

namespace {

// One agent's logs on their way in: read a chunk, store it, say how much is stored, read the next.
// The agent's pace is the disk's. Reactions of one stream come one after the other, since only one
// read or write is ever in flight.
class LogUpload final
    : public grpc::ServerBidiReactor<v1::AppendLogRequest, v1::AppendLogResponse> {
 public:
  explicit LogUpload(LogStore& logs) : logs_(logs) { StartRead(&request_); }

  void OnReadDone(bool ok) override {
    if (!ok) {
      Finish(grpc::Status::OK);
      return;
    }
    const AttemptKey key = FromProto(request_.id());
    const auto stored = logs_.Append(key, request_.offset(), request_.data());
    if (!stored.ok()) {
      Finish(ToGrpc(stored.status()));
      return;
    }
    if (request_.final()) {
      logs_.Finish(key, request_.offset() + static_cast<std::int64_t>(request_.data().size()));
    }
    *response_.mutable_id() = request_.id();
    response_.set_stored_bytes(*stored);
    StartWrite(&response_);
  }
  void OnWriteDone(bool ok) override {
    if (ok) {
      StartRead(&request_);
    } else {
      Finish(grpc::Status::OK);
    }
  }
  void OnDone() override { delete this; }

 private:
  LogStore& logs_;
  v1::AppendLogRequest request_;
  v1::AppendLogResponse response_;
};

}  // namespace

grpc::ServerBidiReactor<v1::AgentMessage, v1::ServerMessage>* AgentsService::Connect(
    grpc::CallbackServerContext* /*context*/) {
  std::shared_ptr<AgentSession> session = switchboard_.NewSession();
  AgentSession* reactor = session.get();
  reactor->Start(std::move(session));
  return reactor;
}

grpc::ServerBidiReactor<v1::AppendLogRequest, v1::AppendLogResponse>* AgentsService::AppendLog(
    grpc::CallbackServerContext* /*context*/) {
  return new LogUpload(logs_);
}

grpc::ServerBidiReactor<v1::AgentExecMessage, v1::ExecRequest>* AgentsService::Exec(
    grpc::CallbackServerContext* /*context*/) {
  return execs_.Join();
}

}  // namespace potok::server
