// Callers that wait for the scheduler's answer.
#pragma once

#include <future>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/runtime/mutex.h"
#include "server/domain/effect.h"

namespace potok::server {

// Thread-safe.
class Replies {
 public:
  // A token to put into an event, and the answer to wait for.
  struct Pending {
    ReplyToken token = 0;
    std::future<absl::StatusOr<std::string>> answer;
  };
  Pending Expect();

  // Hands the answer to its caller; one that gave up is passed over.
  void Give(const Answer& answer);

  // Waits for the answer. UNAVAILABLE when there is none within `timeout`: what was asked may still
  // happen, and asking again with the same request id is safe.
  absl::StatusOr<std::string> Wait(Pending pending, absl::Duration timeout);

  // Every caller that waits now gets `status`, and so does every later one.
  void Close(const absl::Status& status);

 private:
  Mutex mutex_;
  ReplyToken next_ ABSL_GUARDED_BY(mutex_) = 1;
  absl::Status closed_ ABSL_GUARDED_BY(mutex_);
  std::map<ReplyToken, std::promise<absl::StatusOr<std::string>>> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace potok::server
