// One attempt's log as it is written: its file, its index, who waits for more, its packing.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/attempt.h"
#include "common/runtime/mutex.h"
#include "server/logs/log_files.h"
#include "server/logs/log_index.h"
#include "server/logs/log_reader.h"

namespace potok::server {

// Thread-safe. There is one of each log at a time: what it knows of the files only it changes.
class AttemptLog {
 public:
  // A smaller one takes a few blocks of the disk either way.
  static constexpr std::int64_t kWorthPacking = kPointBytes;

  // As it is on the disk, perhaps nothing yet.
  explicit AttemptLog(LogPaths paths);

  static std::int64_t BytesOnDisk(const LogPaths& paths);

  // As LogStore::Append; `key` is for messages. The folder is there.
  absl::StatusOr<std::int64_t> Append(const AttemptKey& key,
                                      std::int64_t offset,
                                      const std::string& data);
  void Finish(std::int64_t bytes);

  // True once it is finished, long enough, and not packed. From then on a later server knows it
  // too, by the index.
  bool IsWorthPacking();
  // The plain file, to which nothing is appended any more, becomes a packed one, if `stop` does not
  // say otherwise meanwhile. Takes as long as PackLog.
  void Pack(const std::function<bool()>& stop);

  std::int64_t stored();
  bool IsComplete();
  bool KnowsEnd();
  // Nobody waits, and what is known is on the disk: of one that was not finished its size.
  bool IsIdle();

  // `arrived` as of LogStore::NotifyBeyond.
  void NotifyBeyond(std::uint64_t number, std::int64_t size, std::function<void()> arrived);
  void CancelNotify(std::uint64_t number);

  // Until the next append.
  void CloseFiles();

 private:
  struct Waiter {
    std::int64_t size = 0;
    std::function<void()> arrived;
  };

  bool IsCompleteLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Wake() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const LogPaths paths_;
  Mutex mutex_;
  bool packed_ ABSL_GUARDED_BY(mutex_) = false;
  std::int64_t stored_ ABSL_GUARDED_BY(mutex_) = 0;
  std::int64_t finished_at_ ABSL_GUARDED_BY(mutex_) = -1;  // -1: not known
  LogFd file_ ABSL_GUARDED_BY(mutex_);
  std::optional<LogIndexWriter> index_ ABSL_GUARDED_BY(mutex_);
  std::map<std::uint64_t, Waiter> waiters_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace potok::server
