#include "server/rpc/exec_call.h"

#include <utility>

#include "absl/time/clock.h"

namespace potok::server {

void ExecCall::Start(std::shared_ptr<ExecCaller> caller) {
  caller_ = std::move(caller);
  const std::shared_ptr<ExecCall> self = shared_from_this();
  caller_->Start(caller_,
                 {.read = [self](bool ok) { self->CallerRead(ok); },
                  .written = [self](bool ok) { self->CallerWritten(ok); },
                  .cut = [self] { self->End(absl::CancelledError("the caller has gone")); }});
}

std::shared_ptr<ExecAgent> ExecCall::agent() {
  MutexLock lock(mutex_);
  return agent_;
}

void ExecCall::ExpectAgent(absl::Duration patience, const absl::Status& why) {
  patience_.Set(absl::ToChronoTime(absl::Now() + patience),
                [self = shared_from_this(), why](bool is_due) {
                  if (is_due && self->agent() == nullptr) self->End(why);
                });
}

bool ExecCall::Join(const std::shared_ptr<ExecAgent>& agent) {
  {
    MutexLock lock(mutex_);
    if (ended_ || agent_ != nullptr) return false;
    agent_ = agent;
  }
  patience_.Cancel();
  agent->Read();
  caller_->Read();
  return true;
}

void ExecCall::CallerRead(bool ok) {
  if (!ok) return End(absl::CancelledError("the caller has ended its side"));
  if (begun_) {
    if (const auto to = agent()) to->Write(std::move(caller_->in()));
    return;
  }
  begun_ = true;
  if (!caller_->in().has_start()) {
    return End(absl::InvalidArgumentError("the first message of Exec is `start`"));
  }
  hooks_.begin(shared_from_this(), caller_->in().start());
}

void ExecCall::AgentWritten(bool ok) {
  if (ok) caller_->Read();
}

void ExecCall::AgentRead(bool ok) {
  const std::shared_ptr<ExecAgent> from = agent();
  if (from == nullptr) return;
  if (!ok) {
    return End(absl::UnavailableError(
        "the connection to the step's machine was lost, and the command with it"));
  }
  v1::ExecResponse& response = *from->in().mutable_response();
  if (response.has_failed()) {
    const auto code = static_cast<absl::StatusCode>(response.failed().code());
    return End(absl::Status(code == absl::StatusCode::kOk ? absl::StatusCode::kInternal : code,
                            response.failed().message()));
  }
  if (response.has_ended()) return End(absl::OkStatus(), std::move(response));
  caller_->Write(std::move(response));
}

void ExecCall::CallerWritten(bool ok) {
  if (!ok) return End(absl::CancelledError("the caller has gone"));
  if (const auto from = agent()) from->Read();
}

void ExecCall::End(const absl::Status& why, std::optional<v1::ExecResponse> last) {
  std::shared_ptr<ExecAgent> joined;
  {
    MutexLock lock(mutex_);
    if (ended_) return;
    ended_ = true;
    joined = std::move(agent_);
  }
  patience_.Cancel();
  caller_->End(why, std::move(last));
  if (joined != nullptr) joined->End(absl::OkStatus());
  hooks_.ended(*this);
}

}  // namespace potok::server
