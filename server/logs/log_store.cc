#include "server/logs/log_store.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <future>
#include <optional>
#include <utility>

#include "absl/time/clock.h"
#include "fmt/format.h"
#include "server/logs/log_index.h"

namespace potok::server {

namespace {

// A smaller one takes a few blocks of the disk either way.
constexpr std::int64_t kWorthPacking = kPointBytes;

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

// Of "ROOT/RUN/INDEX.ATTEMPT.log"; nothing for what has another form.
std::optional<AttemptKey> KeyOf(const std::filesystem::path& path) {
  if (path.extension() != ".log") return std::nullopt;
  AttemptKey key;
  char more = 0;
  const std::string text = path.parent_path().filename().string() + "." + path.stem().string();
  const int fields =
      std::sscanf(text.c_str(), "%ld.%u.%u%c", &key.run, &key.index, &key.attempt, &more);
  if (fields != 3) return std::nullopt;
  return key;
}

// Packing is for when nobody else wants the processor or the disk.
void BecomeUnimportant() {
  constexpr int kNicest = 19;
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNicest);
}

}  // namespace

// One attempt's log. Thread-safe.
class LogStore::Log {
 public:
  explicit Log(LogPaths paths) : paths_(std::move(paths)) {
    const OnDisk found = LookOnDisk(paths_);
    stored_ = found.bytes;
    packed_ = found.is_packed;
    if (packed_) finished_at_ = stored_;
  }

  const LogPaths& paths() const { return paths_; }

  absl::StatusOr<std::int64_t> Append(const AttemptKey& key,
                                      std::int64_t offset,
                                      const std::string& data) {
    MutexLock lock(mutex_);
    if (offset < 0 || offset > stored_) {
      return absl::OutOfRangeError(
          fmt::format("log of attempt {} has {} bytes, not {}; resume at {}",
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

  void Finish(std::int64_t bytes) {
    MutexLock lock(mutex_);
    finished_at_ = bytes;
    Wake();
  }

  // True once it is finished, long enough, and not packed. From then on a later server knows it
  // too, by the index.
  bool IsWorthPacking() {
    MutexLock lock(mutex_);
    if (packed_ || !IsCompleteLocked() || stored_ < kWorthPacking) return false;
    if (!index_) index_.emplace(paths_.index(), paths_.plain(), stored_);
    index_->End(absl::Now());
    return true;
  }

  // The plain file is all there is and will be, and may go once it is packed.
  void Pack(const std::function<bool()>& stop) {
    {
      MutexLock lock(mutex_);
      if (packed_) return;
    }
    absl::Status status = PackLog(paths_.plain(), paths_.packed(), stop);
    MutexLock lock(mutex_);
    if (status.ok() && SizeOfPacked() != stored_) {
      unlink(paths_.packed().c_str());
      status = absl::AbortedError("more was appended to " + paths_.plain());
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

  std::int64_t stored() {
    MutexLock lock(mutex_);
    return stored_;
  }
  bool IsComplete() {
    MutexLock lock(mutex_);
    return IsCompleteLocked();
  }
  bool KnowsEnd() {
    MutexLock lock(mutex_);
    return finished_at_ >= 0;
  }
  // What is known of one that was not finished is its size, which the disk knows too.
  bool IsIdle() {
    MutexLock lock(mutex_);
    return waiters_.empty() && stored_ >= finished_at_;
  }

  void NotifyBeyond(std::uint64_t number, std::int64_t size, std::function<void()> arrived) {
    MutexLock lock(mutex_);
    waiters_[number] = {size, std::move(arrived)};
    Wake();
  }
  void CancelNotify(std::uint64_t number) {
    MutexLock lock(mutex_);
    waiters_.erase(number);
  }

  void CloseFiles() {
    MutexLock lock(mutex_);
    file_ = LogFd();
    if (index_) index_->Close();
  }

 private:
  struct Waiter {
    std::int64_t size = 0;
    std::function<void()> arrived;
  };

  bool IsCompleteLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return finished_at_ >= 0 && stored_ >= finished_at_;
  }
  std::int64_t SizeOfPacked() const {
    const absl::StatusOr<PackedLog> packed = PackedLog::Open(paths_.packed());
    return packed.ok() ? packed->size() : -1;
  }
  void Wake() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const bool complete = IsCompleteLocked();
    std::erase_if(waiters_, [&](auto& entry) {
      if (!complete && stored_ <= entry.second.size) return false;
      entry.second.arrived();
      return true;
    });
  }

  const LogPaths paths_;
  Mutex mutex_;
  bool packed_ ABSL_GUARDED_BY(mutex_) = false;
  std::int64_t stored_ ABSL_GUARDED_BY(mutex_) = 0;
  std::int64_t finished_at_ ABSL_GUARDED_BY(mutex_) = -1;  // -1: not known
  LogFd file_ ABSL_GUARDED_BY(mutex_);
  std::optional<LogIndexWriter> index_ ABSL_GUARDED_BY(mutex_);
  std::map<std::uint64_t, Waiter> waiters_ ABSL_GUARDED_BY(mutex_);
};

LogStore::LogStore(std::string root) : root_(std::move(root)), packer_("log-packer", 1) {
  packer_.Post([this] {
    BecomeUnimportant();
    PackLeftovers();
  });
}

LogStore::~LogStore() {
  stopping_ = true;
  packer_.Stop();
}

absl::StatusOr<std::unique_ptr<LogStore>> LogStore::Open(const std::string& root) {
  std::error_code error;
  std::filesystem::create_directories(root, error);
  if (error) return LogErrno("making the folder of logs " + root, error.value());
  return std::unique_ptr<LogStore>(new LogStore(root));
}

LogPaths LogStore::PathsOf(const AttemptKey& key) const {
  return {fmt::format("{}/{}/{}.{}", root_, key.run, key.index, key.attempt)};
}

std::shared_ptr<LogStore::Log> LogStore::LogOf(const AttemptKey& key) {
  MutexLock lock(mutex_);
  if (logs_.size() >= forget_at_ && !logs_.contains(key)) ForgetIdle();
  std::shared_ptr<Log>& log = logs_[key];
  if (log == nullptr) log = std::make_shared<Log>(PathsOf(key));
  return log;
}

std::shared_ptr<LogStore::Log> LogStore::FindLog(const AttemptKey& key) {
  MutexLock lock(mutex_);
  const auto log = logs_.find(key);
  return log == logs_.end() ? nullptr : log->second;
}

void LogStore::ForgetIdle() {
  // One that somebody holds is being written: two of the same would not know of each other.
  std::erase_if(open_, [](const auto& log) { return log->IsIdle(); });
  std::erase_if(logs_, [](const auto& entry) {
    return entry.second.use_count() == 1 && entry.second->IsIdle();
  });
  // What is left is under way; to look through it at each new one would cost more each time.
  forget_at_ = std::max(kLogsRemembered, 2 * logs_.size());
}

void LogStore::PrepareWrite(const AttemptKey& key, const std::shared_ptr<Log>& log) {
  std::shared_ptr<Log> to_close;
  {
    MutexLock lock(mutex_);
    if (folders_.insert(key.run).second) {
      std::error_code error;
      std::filesystem::create_directories(fmt::format("{}/{}", root_, key.run), error);
    }
    if (std::find(open_.begin(), open_.end(), log) != open_.end()) return;
    open_.push_back(log);
    if (open_.size() <= kLogsOpen) return;
    to_close = std::move(open_.front());
    open_.pop_front();
  }
  to_close->CloseFiles();
}

absl::StatusOr<std::int64_t> LogStore::Append(const AttemptKey& key,
                                              std::int64_t offset,
                                              const std::string& data) {
  const std::shared_ptr<Log> log = LogOf(key);
  if (!data.empty()) PrepareWrite(key, log);
  absl::StatusOr<std::int64_t> stored = log->Append(key, offset, data);
  if (stored.ok() && log->IsWorthPacking()) PackLater(log);
  return stored;
}

void LogStore::Finish(const AttemptKey& key, std::int64_t bytes) {
  const std::shared_ptr<Log> log = LogOf(key);
  log->Finish(bytes);
  if (log->IsWorthPacking()) PackLater(log);
}

void LogStore::PackLater(std::shared_ptr<Log> log) {
  packer_.Post([this, log = std::move(log)] {
    if (!stopping_) log->Pack([this] { return stopping_.load(); });
  });
}

// What says that a log is finished: its index, or that it was packed already and the server ended
// before the plain file was gone.
void LogStore::PackLeftovers() {
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator it(root_, error), end; it != end;
       it.increment(error)) {
    if (error || stopping_) return;
    const std::filesystem::path& path = it->path();
    if (path.extension() == ".tmp") unlink(path.c_str());
    const std::optional<AttemptKey> key = KeyOf(path);
    if (!key) continue;
    const LogPaths paths = PathsOf(*key);
    const std::int64_t size = LookOnDisk(paths).bytes;
    LogPoint last;
    LogIndex(paths.index()).CountWithin(size, &last);
    const bool is_finished = last.is_end && last.offset == size;
    if (size < kWorthPacking || (!is_finished && access(paths.packed().c_str(), F_OK) != 0)) {
      continue;
    }
    LogOf(*key)->Pack([this] { return stopping_.load(); });
  }
}

void LogStore::AwaitPacked() {
  std::promise<void> done;
  if (packer_.Post([&done] { done.set_value(); })) done.get_future().wait();
}

std::size_t LogStore::remembered() {
  MutexLock lock(mutex_);
  return logs_.size();
}

// Views ask for all steps of a run: what is only looked at is not remembered.
std::int64_t LogStore::SizeOf(const AttemptKey& key) {
  const std::shared_ptr<Log> log = FindLog(key);
  return log == nullptr ? LookOnDisk(PathsOf(key)).bytes : log->stored();
}

bool LogStore::IsComplete(const AttemptKey& key) {
  const std::shared_ptr<Log> log = FindLog(key);
  return log != nullptr && log->IsComplete();
}

bool LogStore::KnowsEnd(const AttemptKey& key) {
  const std::shared_ptr<Log> log = FindLog(key);
  return log != nullptr && log->KnowsEnd();
}

std::uint64_t LogStore::NotifyBeyond(const AttemptKey& key,
                                     std::int64_t size,
                                     std::function<void()> arrived) {
  static std::atomic<std::uint64_t> next = 1;
  const std::uint64_t number = next++;
  LogOf(key)->NotifyBeyond(number, size, std::move(arrived));
  return number;
}

void LogStore::CancelNotify(const AttemptKey& key, std::uint64_t number) {
  if (const std::shared_ptr<Log> log = FindLog(key)) log->CancelNotify(number);
}

}  // namespace potok::server
