// Logs of attempts on the server's disk: one append-only file per attempt, written at offsets, read
// while it grows.
//
// Layout: ROOT/RUN/INDEX.ATTEMPT.log. Thread-safe; blocks on the disk only for the bytes it is
// asked to move. See docs/decisions/0008-logs-are-files.md.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/attempt.h"
#include "common/runtime/mutex.h"

namespace potok::server {

class LogStore {
 public:
  // Makes the folder; PERMISSION_DENIED or UNAVAILABLE if it cannot.
  static absl::StatusOr<std::unique_ptr<LogStore>> Open(const std::string& root);

  // Appends `data` that belongs at `offset`; what is already there is skipped. OUT_OF_RANGE if
  // bytes before `offset` are missing (the message ends in "resume at N"); RESOURCE_EXHAUSTED on a
  // full disk. Returns the bytes stored so far.
  absl::StatusOr<std::int64_t> Append(const AttemptKey& key,
                                      std::int64_t offset,
                                      const std::string& data);

  // The log is known to be `bytes` long: readers that follow may stop there.
  void Finish(const AttemptKey& key, std::int64_t bytes);

  // How many logs it has in memory: those under way, and some thousand others.
  std::size_t remembered();

  // Bytes stored; 0 when there is no log.
  std::int64_t SizeOf(const AttemptKey& key);
  // True once Finish was told and all of it is stored.
  bool IsComplete(const AttemptKey& key);

  // True once Finish was told, since this server started.
  bool KnowsEnd(const AttemptKey& key);

  // Up to `bytes_max` from `offset`; empty at the end.
  absl::StatusOr<std::string> Read(const AttemptKey& key,
                                   std::int64_t offset,
                                   std::size_t bytes_max);

  // Calls `arrived` once, from any thread, when there is more than `size` bytes or the log is
  // complete; at once if that is so already. It must be quick. The number cancels it.
  std::uint64_t NotifyBeyond(const AttemptKey& key,
                             std::int64_t size,
                             std::function<void()> arrived);
  // When this returns the call is not running and will not be made.
  void CancelNotify(const AttemptKey& key, std::uint64_t number);

 private:
  struct Waiter {
    std::int64_t size = 0;
    std::function<void()> arrived;
  };
  // Logs that nobody reads are forgotten in memory beyond this many.
  static constexpr std::size_t kLogsRemembered = 20'000;

  struct Log {
    std::int64_t stored = -1;       // -1: not looked at yet
    std::int64_t finished_at = -1;  // -1: not known
    std::map<std::uint64_t, Waiter> waiters;
  };

  explicit LogStore(std::string root) : root_(std::move(root)) {}
  std::string PathOf(const AttemptKey& key) const;
  Log& LogOf(const AttemptKey& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Wake(Log& log) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ForgetIdle() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string root_;
  Mutex mutex_;
  std::map<AttemptKey, Log> logs_ ABSL_GUARDED_BY(mutex_);
  std::size_t forget_at_ ABSL_GUARDED_BY(mutex_) = kLogsRemembered;
  std::set<RunId> folders_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t next_waiter_ ABSL_GUARDED_BY(mutex_) = 1;
};

}  // namespace potok::server
