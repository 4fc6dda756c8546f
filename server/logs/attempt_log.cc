#include "server/logs/attempt_log.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/time/clock.h"
#include "fmt/format.h"
#include "server/logs/packed_log.h"

namespace potok::server {
namespace {

struct OnDisk {
  std::int64_t bytes = 0;
  bool is_packed = false;
};

OnDisk LookOnDisk(const LogPaths& paths) {
  struct stat info {};
  if (stat(paths.plain().c_str(), &info) == 0) return {info.st_size, false};
  const absl::StatusOr<PackedLog> packed = PackedLog::Open(paths.packed());
  return packed.ok() ? OnDisk{packed->size(), true} : OnDisk{};
}

}  // namespace

AttemptLog::AttemptLog(LogPaths paths) : paths_(std::move(paths)) {
  const OnDisk found = LookOnDisk(paths_);
  stored_ = found.bytes;
  packed_ = found.is_packed;
  if (packed_) finished_at_ = stored_;
}

std::int64_t AttemptLog::BytesOnDisk(const LogPaths& paths) {
  return LookOnDisk(paths).bytes;
}

absl::StatusOr<std::int64_t> AttemptLog::Append(const AttemptKey& key,
                                                std::int64_t offset,
                                                const std::string& data) {
  MutexLock lock(mutex_);
  if (offset < 0 || offset > stored_) {
    return absl::OutOfRangeError(fmt::format("log of attempt {} has {} bytes, not {}; resume at {}",
                                             ToString(key),
                                             stored_,
                                             offset,
                                             stored_));
  }
  const auto skip = static_cast<std::size_t>(stored_ - offset);
  if (skip >= data.size()) return stored_;
  if (packed_) {
    return absl::FailedPreconditionError(
        fmt::format("log of attempt {} is finished with {} bytes", ToString(key), stored_));
  }
  const char* const begin = data.data() + skip;
  const std::size_t size = data.size() - skip;
  if (!file_.is_open()) file_ = LogFd(paths_.plain(), O_WRONLY | O_CREAT);
  if (!file_.is_open()) return LogErrno("opening log " + paths_.plain(), errno);
  if (!index_) index_.emplace(paths_.index(), paths_.plain(), stored_);
  if (!file_.WriteAt(stored_, begin, size)) {
    return LogErrno(fmt::format("writing {} bytes of log to {}", size, paths_.plain()), errno);
  }
  index_->Append(begin, size, absl::Now());
  stored_ += static_cast<std::int64_t>(size);
  Wake();
  return stored_;
}

void AttemptLog::Finish(std::int64_t bytes) {
  MutexLock lock(mutex_);
  finished_at_ = bytes;
  Wake();
}

bool AttemptLog::IsWorthPacking() {
  MutexLock lock(mutex_);
  if (packed_ || !IsCompleteLocked() || stored_ < kWorthPacking) return false;
  if (!index_) index_.emplace(paths_.index(), paths_.plain(), stored_);
  index_->End(absl::Now());
  return true;
}

void AttemptLog::Pack(const std::function<bool()>& stop) {
  {
    MutexLock lock(mutex_);
    if (packed_) return;
  }
  absl::Status status = PackLog(paths_.plain(), paths_.packed(), stop);
  MutexLock lock(mutex_);
  if (status.ok()) {
    const absl::StatusOr<PackedLog> packed = PackedLog::Open(paths_.packed());
    status = packed.status();
    if (packed.ok() && packed->size() != stored_) {
      unlink(paths_.packed().c_str());
      status = absl::AbortedError("more was appended to " + paths_.plain());
    }
  }
  if (status.ok()) {
    packed_ = true;
    file_ = LogFd();
    index_.reset();
    unlink(paths_.plain().c_str());
  } else if (!absl::IsCancelled(status)) {
    spdlog::warn("log not packed, and kept as it is: {}", status.ToString());
  }
}

std::int64_t AttemptLog::stored() {
  MutexLock lock(mutex_);
  return stored_;
}

bool AttemptLog::IsCompleteLocked() const {
  return finished_at_ >= 0 && stored_ >= finished_at_;
}

bool AttemptLog::IsComplete() {
  MutexLock lock(mutex_);
  return IsCompleteLocked();
}

bool AttemptLog::KnowsEnd() {
  MutexLock lock(mutex_);
  return finished_at_ >= 0;
}

bool AttemptLog::IsIdle() {
  MutexLock lock(mutex_);
  return waiters_.empty() && stored_ >= finished_at_;
}

void AttemptLog::NotifyBeyond(std::uint64_t number,
                              std::int64_t size,
                              std::function<void()> arrived) {
  MutexLock lock(mutex_);
  waiters_[number] = {size, std::move(arrived)};
  Wake();
}

void AttemptLog::CancelNotify(std::uint64_t number) {
  MutexLock lock(mutex_);
  waiters_.erase(number);
}

void AttemptLog::CloseFiles() {
  MutexLock lock(mutex_);
  file_ = LogFd();
  if (index_) index_->Close();
}

void AttemptLog::Wake() {
  for (auto waiter = waiters_.begin(); waiter != waiters_.end();) {
    if (IsCompleteLocked() || stored_ > waiter->second.size) {
      waiter->second.arrived();
      waiter = waiters_.erase(waiter);
    } else {
      ++waiter;
    }
  }
}

}  // namespace potok::server
