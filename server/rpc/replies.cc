#include "server/rpc/replies.h"

#include <utility>

namespace potok::server {

Replies::Pending Replies::Expect() {
  MutexLock lock(mutex_);
  Pending pending;
  pending.token = next_++;
  std::promise<absl::StatusOr<std::string>> promise;
  pending.answer = promise.get_future();
  if (closed_.ok()) {
    waiting_.emplace(pending.token, std::move(promise));
  } else {
    promise.set_value(closed_);
  }
  return pending;
}

void Replies::Give(const Answer& answer) {
  MutexLock lock(mutex_);
  const auto waiting = waiting_.find(answer.reply);
  if (waiting == waiting_.end()) return;
  if (answer.status.ok()) {
    waiting->second.set_value(answer.value);
  } else {
    waiting->second.set_value(answer.status);
  }
  waiting_.erase(waiting);
}

absl::StatusOr<std::string> Replies::Wait(Pending pending, absl::Duration timeout) {
  if (pending.answer.wait_for(absl::ToChronoMilliseconds(timeout)) == std::future_status::ready) {
    return pending.answer.get();
  }
  MutexLock lock(mutex_);
  waiting_.erase(pending.token);
  return absl::UnavailableError(
      "the scheduler did not answer in time (its database may be slow or away); ask again with the "
      "same request id");
}

void Replies::Close(const absl::Status& status) {
  MutexLock lock(mutex_);
  closed_ = status;
  for (auto& [token, promise] : waiting_) promise.set_value(status);
  waiting_.clear();
}

}  // namespace potok::server
