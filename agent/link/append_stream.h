// One AppendLog stream: requests go out from one thread, answers are collected on another.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <map>
#include <memory>
#include <thread>

#include "absl/status/status.h"
#include "common/base/attempt.h"
#include "common/runtime/mutex.h"
#include "potok/v1/agents.grpc.pb.h"

namespace potok::agent {

// One thread calls all but Cancel.
class AppendStream {
 public:
  // `broke` is called once, from a thread of its own, when the stream has broken or was closed.
  AppendStream(const std::shared_ptr<grpc::Channel>& channel, std::function<void()> broke);
  ~AppendStream();

  // Blocks while the network is slower than we are; false once the stream has broken.
  bool Write(const v1::AppendLogRequest& request);
  // What the server has stored, of the attempts that it answered for since the last call.
  std::map<AttemptKey, std::int64_t> TakeAnswers();
  bool broken();
  // Ends the stream and says why it had ended, if it had.
  absl::Status Close();

  // From any thread: a blocked Write returns.
  void Cancel() { context_.TryCancel(); }

 private:
  void ReadAnswers();

  const std::function<void()> broke_;
  grpc::ClientContext context_;
  std::unique_ptr<v1::Agents::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::AppendLogRequest, v1::AppendLogResponse>> stream_;
  bool closed_ = false;
  Mutex mutex_;
  std::map<AttemptKey, std::int64_t> answers_ ABSL_GUARDED_BY(mutex_);
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread reader_;  // last: it uses the others
};

}  // namespace potok::agent
