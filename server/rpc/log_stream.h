// One caller's reading of a step's log.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <memory>
#include <string>

#include "common/runtime/mutex.h"
#include "common/runtime/worker_pool.h"
#include "potok/v1/runs.pb.h"
#include "server/logs/log_store.h"
#include "server/rpc/run_view.h"
#include "server/rpc/watch_hub.h"

namespace potok::server {

// What log streams need; outlives them.
struct LogStreamContext {
  RunView& view;
  WatchHub& hub;
  LogStore& logs;
  Projector& projector;
  WorkerPool& readers;  // reads pieces of files
};

// Owns itself until OnDone. One piece is in flight at a time; the next is read when it was written,
// or, at the end of a log that is followed, when more arrives.
class LogStream final : public grpc::ServerWriteReactor<v1::LogsResponse>,
                        public std::enable_shared_from_this<LogStream> {
 public:
  static LogStream* Start(const v1::LogsRequest& request,
                          const LogStreamContext& context,
                          std::int64_t committed_revision);

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  LogStream(v1::LogsRequest request, const LogStreamContext& context)
      : request_(std::move(request)), context_(context) {}

  void Find(std::int64_t revision);
  bool LookAtStep();
  void Pump();
  void PumpLater();
  void AwaitRest();
  bool WaitForMore(const AttemptKey& key, std::int64_t offset);
  void End(const absl::Status& status);

  const v1::LogsRequest request_;
  const LogStreamContext context_;
  std::shared_ptr<LogStream> self_;

  Mutex mutex_;
  AttemptKey key_ ABSL_GUARDED_BY(mutex_);  // attempt 0: none yet
  bool step_ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool placed_ ABSL_GUARDED_BY(mutex_) = false;  // offset_ is set
  std::int64_t offset_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint64_t watch_ ABSL_GUARDED_BY(mutex_) = 0;
  bool waiting_ ABSL_GUARDED_BY(mutex_) = false;  // for more to arrive
  std::uint64_t waiter_ ABSL_GUARDED_BY(mutex_) = 0;
  bool busy_ ABSL_GUARDED_BY(mutex_) = false;  // a piece is being read or written
  bool again_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  v1::LogsResponse response_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace potok::server
