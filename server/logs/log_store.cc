#include "server/logs/log_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "fmt/format.h"

namespace potok::server {

namespace {

std::int64_t SizeOnDisk(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 ? info.st_size : 0;
}

class File {
 public:
  File(const std::string& path, int flags)
      : descriptor_(open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

absl::Status ErrnoStatus(const std::string& what, int error) {
  const std::string message = fmt::format("{}: {}", what, std::strerror(error));
  return error == ENOSPC || error == EDQUOT ? absl::ResourceExhaustedError(message)
                                            : absl::UnavailableError(message);
}

absl::Status WriteAt(int descriptor,
                     std::int64_t offset,
                     const char* data,
                     std::size_t size,
                     const std::string& path) {
  while (size > 0) {
    const ssize_t wrote = pwrite(descriptor, data, size, offset);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0)
      return ErrnoStatus(fmt::format("writing {} bytes of log to {}", size, path), errno);
    data += wrote;
    offset += wrote;
    size -= static_cast<std::size_t>(wrote);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<LogStore>> LogStore::Open(const std::string& root) {
  std::error_code error;
  std::filesystem::create_directories(root, error);
  if (error) return ErrnoStatus("making the folder of logs " + root, error.value());
  return std::unique_ptr<LogStore>(new LogStore(root));
}

std::string LogStore::PathOf(const AttemptKey& key) const {
  return fmt::format("{}/{}/{}.{}.log", root_, key.run, key.index, key.attempt);
}

LogStore::Log& LogStore::LogOf(const AttemptKey& key) {
  if (logs_.size() >= forget_at_ && !logs_.contains(key)) ForgetIdle();
  Log& log = logs_[key];
  if (log.stored < 0) log.stored = SizeOnDisk(PathOf(key));
  return log;
}

void LogStore::ForgetIdle() {
  std::erase_if(logs_, [](const auto& entry) {
    const Log& log = entry.second;
    // What is known of one that was not finished is its size, which the disk knows too.
    return log.waiters.empty() && log.stored >= log.finished_at;
  });
  // What is left is under way; to look through it at each new one would cost more each time.
  forget_at_ = std::max(kLogsRemembered, 2 * logs_.size());
}

void LogStore::Wake(Log& log) {
  const bool complete = log.finished_at >= 0 && log.stored >= log.finished_at;
  for (auto it = log.waiters.begin(); it != log.waiters.end();) {
    if (complete || log.stored > it->second.size) {
      it->second.arrived();
      it = log.waiters.erase(it);
    } else {
      ++it;
    }
  }
}

absl::StatusOr<std::int64_t> LogStore::Append(const AttemptKey& key,
                                              std::int64_t offset,
                                              const std::string& data) {
  MutexLock lock(mutex_);
  Log& log = LogOf(key);
  if (offset < 0 || offset > log.stored) {
    return absl::OutOfRangeError(fmt::format("log of attempt {} has {} bytes, not {}; resume at {}",
                                             ToString(key),
                                             log.stored,
                                             offset,
                                             log.stored));
  }
  const auto skip = static_cast<std::size_t>(log.stored - offset);
  if (skip >= data.size()) return log.stored;
  if (folders_.insert(key.run).second) {
    std::error_code error;
    std::filesystem::create_directories(fmt::format("{}/{}", root_, key.run), error);
  }
  const std::string path = PathOf(key);
  const File file(path, O_WRONLY | O_CREAT);
  if (file.get() < 0) return ErrnoStatus("opening log " + path, errno);
  if (absl::Status status =
          WriteAt(file.get(), log.stored, data.data() + skip, data.size() - skip, path);
      !status.ok()) {
    return status;
  }
  log.stored += static_cast<std::int64_t>(data.size() - skip);
  Wake(log);
  return log.stored;
}

void LogStore::Finish(const AttemptKey& key, std::int64_t bytes) {
  MutexLock lock(mutex_);
  Log& log = LogOf(key);
  log.finished_at = bytes;
  Wake(log);
}

std::size_t LogStore::remembered() {
  MutexLock lock(mutex_);
  return logs_.size();
}

std::int64_t LogStore::SizeOf(const AttemptKey& key) {
  MutexLock lock(mutex_);
  // Views ask for all steps of a run: what is only looked at is not remembered.
  const auto log = logs_.find(key);
  return log == logs_.end() ? SizeOnDisk(PathOf(key)) : log->second.stored;
}

bool LogStore::IsComplete(const AttemptKey& key) {
  MutexLock lock(mutex_);
  const auto log = logs_.find(key);
  return log != logs_.end() && log->second.finished_at >= 0 &&
         log->second.stored >= log->second.finished_at;
}

bool LogStore::KnowsEnd(const AttemptKey& key) {
  MutexLock lock(mutex_);
  const auto log = logs_.find(key);
  return log != logs_.end() && log->second.finished_at >= 0;
}

absl::StatusOr<std::string> LogStore::Read(const AttemptKey& key,
                                           std::int64_t offset,
                                           std::size_t bytes_max) {
  const std::int64_t stored = SizeOf(key);
  if (offset >= stored) return std::string();
  const std::string path = PathOf(key);
  const File file(path, O_RDONLY);
  if (file.get() < 0) return ErrnoStatus("opening log " + path, errno);
  std::string data(std::min(bytes_max, static_cast<std::size_t>(stored - offset)), '\0');
  const ssize_t got = pread(file.get(), data.data(), data.size(), offset);
  if (got < 0) return ErrnoStatus("reading log " + path, errno);
  data.resize(static_cast<std::size_t>(got));
  return data;
}

std::uint64_t LogStore::NotifyBeyond(const AttemptKey& key,
                                     std::int64_t size,
                                     std::function<void()> arrived) {
  MutexLock lock(mutex_);
  Log& log = LogOf(key);
  const std::uint64_t number = next_waiter_++;
  log.waiters[number] = {size, std::move(arrived)};
  Wake(log);
  return number;
}

void LogStore::CancelNotify(const AttemptKey& key, std::uint64_t number) {
  MutexLock lock(mutex_);
  if (const auto log = logs_.find(key); log != logs_.end()) log->second.waiters.erase(number);
}

}  // namespace potok::server
