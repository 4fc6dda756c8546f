// Logs of attempts on the server's disk: one file per attempt, written at offsets, read while it
// grows, packed once it is finished.
//
// Layout: ROOT/RUN/INDEX.ATTEMPT.log, beside it `.index` (log_index.h); of a finished one that is
// worth it `.log.zst` instead (packed_log.h). Thread-safe; blocks on the disk only for the bytes
// it is asked to move. See docs/decisions/0008-logs-are-files.md.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/attempt.h"
#include "common/runtime/mutex.h"
#include "common/runtime/worker_pool.h"
#include "server/logs/attempt_log.h"
#include "server/logs/log_reader.h"

namespace potok::server {

class LogStore {
 public:
  // Makes the folder; PERMISSION_DENIED or UNAVAILABLE if it cannot. Goes on, on a thread of its
  // own, with what was to be packed when the last server ended.
  static absl::StatusOr<std::unique_ptr<LogStore>> Open(const std::string& root);
  // Does not wait for what is still to be packed.
  ~LogStore();

  // Appends `data` that belongs at `offset`; what is already there is skipped. OUT_OF_RANGE if
  // bytes before `offset` are missing (the message ends in "resume at N"); RESOURCE_EXHAUSTED on a
  // full disk; FAILED_PRECONDITION if it would add to a log that is finished and packed. Returns
  // the bytes stored so far.
  absl::StatusOr<std::int64_t> Append(const AttemptKey& key,
                                      std::int64_t offset,
                                      const std::string& data);

  // The log is known to be `bytes` long: readers that follow may stop there, and it may be packed.
  void Finish(const AttemptKey& key, std::int64_t bytes);

  // Runs that have logs, by id. UNAVAILABLE if the folder cannot be read.
  absl::StatusOr<std::vector<RunId>> Runs() const;
  // What the logs of a run take on the disk.
  absl::StatusOr<std::int64_t> BytesOf(RunId run) const;
  // Removes the logs of a run that has ended; the bytes they took. Whoever reads one reads on to
  // the end of what is open. What an agent still brings begins a new one.
  absl::StatusOr<std::int64_t> Remove(RunId run);

  // How many logs it has in memory: those under way, and some thousand others.
  std::size_t remembered();

  // Bytes stored; 0 when there is no log.
  std::int64_t SizeOf(const AttemptKey& key);
  // True once Finish was told and all of it is stored.
  bool IsComplete(const AttemptKey& key);

  // True once Finish was told, since this server started.
  bool KnowsEnd(const AttemptKey& key);

  // For reading at one's own pace; it stays good while the log grows and when it is packed.
  LogReader ReaderOf(const AttemptKey& key) const { return LogReader(PathsOf(key)); }

  // Calls `arrived` once, from any thread, when there is more than `size` bytes or the log is
  // complete; at once if that is so already. It must be quick. The number cancels it.
  std::uint64_t NotifyBeyond(const AttemptKey& key,
                             std::int64_t size,
                             std::function<void()> arrived);
  // When this returns the call is not running and will not be made.
  void CancelNotify(const AttemptKey& key, std::uint64_t number);

  // Waits until what was finished before this call is packed. For tests.
  void AwaitPacked();

 private:
  // Logs that nobody reads are forgotten in memory beyond this many.
  static constexpr std::size_t kLogsRemembered = 20'000;
  // Of so many logs the files stay open between two appends.
  static constexpr std::size_t kLogsOpen = 64;

  explicit LogStore(std::string root);
  LogPaths PathsOf(const AttemptKey& key) const;
  std::shared_ptr<AttemptLog> LogOf(const AttemptKey& key);
  std::shared_ptr<AttemptLog> FindLog(const AttemptKey& key);
  // Makes the run's folder, and closes the files of another log if too many are open.
  void PrepareWrite(const AttemptKey& key, const std::shared_ptr<AttemptLog>& log);
  void ForgetIdle() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void PackLater(std::shared_ptr<AttemptLog> log);
  void PackLeftovers();

  const std::string root_;
  Mutex mutex_;  // before a log's own
  std::map<AttemptKey, std::shared_ptr<AttemptLog>> logs_ ABSL_GUARDED_BY(mutex_);
  std::size_t forget_at_ ABSL_GUARDED_BY(mutex_) = kLogsRemembered;
  std::set<RunId> folders_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::shared_ptr<AttemptLog>> open_ ABSL_GUARDED_BY(mutex_);
  std::atomic<bool> stopping_ = false;
  WorkerPool packer_;  // last: its thread uses the rest
};

}  // namespace potok::server
