#include "server/rpc/agent_session.h"

#include <utility>

#include "common/rpc/status.h"

namespace potok::server {

void AgentSession::Start(std::shared_ptr<AgentSession> self) {
  self_ = std::move(self);
  StartRead(&incoming_);
}

// Orders and acknowledgements that wait behind a write in flight are joined: an agent with
// thousands of short steps gets one message per round trip instead of one per step.
bool AgentSession::JoinLast(v1::ServerMessage& message) {
  if (outbox_.size() < 2) return false;  // the front may be in flight and must not change
  v1::ServerMessage& last = outbox_.back();
  if (!message.has_orders() || !last.has_orders()) return false;
  last.mutable_orders()->MergeFrom(message.orders());
  return true;
}

void AgentSession::Send(v1::ServerMessage message) {
  MutexLock lock(mutex_);
  if (closing_ || finished_) return;
  if (JoinLast(message)) return;
  if (outbox_.size() >= kOutboxMax) {
    closing_ = true;
    why_ = absl::ResourceExhaustedError("the agent does not read its orders");
    FinishWhenIdle();
    return;
  }
  outbox_.push_back(std::move(message));
  if (outbox_.size() == 1) StartWrite(&outbox_.front());
}

void AgentSession::Close(const absl::Status& why) {
  MutexLock lock(mutex_);
  if (closing_) return;
  closing_ = true;
  why_ = why;
  FinishWhenIdle();
}

void AgentSession::FinishWhenIdle() {
  if (!closing_ || finished_ || !outbox_.empty()) return;
  finished_ = true;
  Finish(ToGrpc(why_));
}

void AgentSession::OnReadDone(bool ok) {
  if (!ok) {
    Close(absl::OkStatus());
    return;
  }
  absl::Status why;
  const bool go_on = listener_.OnMessage(*this, std::move(incoming_), &why);
  if (!go_on) {
    Close(why);
    return;
  }
  incoming_.Clear();
  MutexLock lock(mutex_);
  if (!finished_) StartRead(&incoming_);
}

void AgentSession::OnWriteDone(bool ok) {
  MutexLock lock(mutex_);
  outbox_.pop_front();
  if (!ok) {
    closing_ = true;
    outbox_.clear();
  }
  if (!outbox_.empty()) {
    StartWrite(&outbox_.front());
    return;
  }
  FinishWhenIdle();
}

void AgentSession::OnCancel() {
  Close(absl::CancelledError("the agent's stream was cut"));
}

void AgentSession::OnDone() {
  listener_.OnEnded(*this);
  // The last act: whoever still holds the session frees it.
  const std::shared_ptr<AgentSession> self = std::move(self_);
}

}  // namespace potok::server
