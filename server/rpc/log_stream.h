// One caller's reading of logs: of one step or of many.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/runtime/mutex.h"
#include "common/runtime/worker_pool.h"
#include "potok/v1/runs.pb.h"
#include "server/logs/log_store.h"
#include "server/rpc/log_source.h"
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
// or, at the end of logs that are followed, when more arrives. A caller that is slow costs nothing
// but that piece.
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
  // A step whose logs are wanted.
  struct WantedStep {
    std::string name;
    std::uint32_t attempts = 0;  // those up to this one have a source, or are not wanted
    bool ended = false;
    const v1::LogPosition* resume_at = nullptr;
  };
  // An attempt's log that is being read. What follows `source` is the stream's, under its mutex.
  struct Reading {
    Reading(const AttemptKey& attempt, LogSource its) : key(attempt), source(std::move(its)) {}
    const AttemptKey key;
    LogSource source;
    bool ended = false;  // the attempt has: nothing but the rest of its log will come
    bool ready = true;   // worth a look
    bool armed = false;  // the store will tell when there is more
    std::uint64_t waiter = 0;
  };

  LogStream(v1::LogsRequest request, const LogStreamContext& context)
      : request_(std::move(request)), context_(context) {}

  void Find(std::int64_t revision);
  absl::Status ChooseSteps(const RunRow& row);
  bool LookAtSteps();
  bool LearnNewSteps(RunId run, const std::vector<StepRow>& rows);
  void LookAtStep(std::uint32_t index, std::uint32_t attempt, bool ended)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void LookAtReusedStep(std::uint32_t index, const AttemptKey& source)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AddReading(const AttemptKey& key, const WantedStep& step, bool ended)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Pump();
  void PumpLater();
  std::shared_ptr<Reading> NextReading();
  enum class Step { kNext, kWriting, kEnded };
  Step ReadFrom(const std::shared_ptr<Reading>& reading);
  Step Send();
  void Drop(const std::shared_ptr<Reading>& reading);
  void AwaitRest(const AttemptKey& key);
  void WaitForMore(const std::shared_ptr<Reading>& reading);
  void End(const absl::Status& status);

  const v1::LogsRequest request_;
  const LogStreamContext context_;
  std::shared_ptr<LogStream> self_;
  std::shared_ptr<const LinePattern> pattern_;  // set before any reading
  v1::LogsResponse response_;                   // of whoever pumps, then of the write

  Mutex mutex_;
  RunId run_ ABSL_GUARDED_BY(mutex_) = 0;
  std::int64_t seen_revision_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint32_t known_steps_ ABSL_GUARDED_BY(mutex_) = 0;  // of the run, when they were chosen
  std::map<std::uint32_t, WantedStep> steps_ ABSL_GUARDED_BY(mutex_);
  std::size_t steps_ended_ ABSL_GUARDED_BY(mutex_) = 0;
  bool looked_ ABSL_GUARDED_BY(mutex_) = false;  // at the steps
  std::vector<std::shared_ptr<Reading>> readings_ ABSL_GUARDED_BY(mutex_);
  std::size_t next_ ABSL_GUARDED_BY(mutex_) = 0;  // of readings_, whose turn it is
  std::uint64_t watch_ ABSL_GUARDED_BY(mutex_) = 0;
  bool busy_ ABSL_GUARDED_BY(mutex_) = false;  // a piece is being read or written
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace potok::server
