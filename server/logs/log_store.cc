#include "server/logs/log_store.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <future>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "server/logs/log_index.h"

namespace potok::server {

namespace {

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

// How the folder of a run's logs is called while it is removed.
constexpr char kGone[] = ".gone-";

// Packing is for when nobody else wants the processor or the disk.
void BecomeUnimportant() {
  constexpr int kNicest = 19;
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNicest);
}

}  // namespace

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

std::shared_ptr<AttemptLog> LogStore::LogOf(const AttemptKey& key) {
  MutexLock lock(mutex_);
  if (logs_.size() >= forget_at_ && !logs_.contains(key)) ForgetIdle();
  std::shared_ptr<AttemptLog>& log = logs_[key];
  if (log == nullptr) log = std::make_shared<AttemptLog>(PathsOf(key));
  return log;
}

std::shared_ptr<AttemptLog> LogStore::FindLog(const AttemptKey& key) {
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

void LogStore::PrepareWrite(const AttemptKey& key, const std::shared_ptr<AttemptLog>& log) {
  std::shared_ptr<AttemptLog> to_close;
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
  const std::shared_ptr<AttemptLog> log = LogOf(key);
  if (!data.empty()) PrepareWrite(key, log);
  absl::StatusOr<std::int64_t> stored = log->Append(key, offset, data);
  if (stored.ok() && log->IsWorthPacking()) PackLater(log);
  return stored;
}

void LogStore::Finish(const AttemptKey& key, std::int64_t bytes) {
  const std::shared_ptr<AttemptLog> log = LogOf(key);
  log->Finish(bytes);
  if (log->IsWorthPacking()) PackLater(log);
}

void LogStore::PackLater(std::shared_ptr<AttemptLog> log) {
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
    if (it.depth() == 0 && path.filename().string().starts_with(kGone)) {
      it.disable_recursion_pending();
      std::error_code stays;
      std::filesystem::remove_all(path, stays);
      continue;
    }
    if (path.extension() == ".tmp") unlink(path.c_str());
    const std::optional<AttemptKey> key = KeyOf(path);
    if (!key) continue;
    const LogPaths paths = PathsOf(*key);
    const std::int64_t size = AttemptLog::BytesOnDisk(paths);
    LogPoint last;
    LogIndex(paths.index()).CountWithin(size, &last);
    const bool is_finished = last.is_end && last.offset == size;
    if (size < AttemptLog::kWorthPacking ||
        (!is_finished && access(paths.packed().c_str(), F_OK) != 0)) {
      continue;
    }
    LogOf(*key)->Pack([this] { return stopping_.load(); });
  }
}

absl::StatusOr<std::vector<RunId>> LogStore::Runs() const {
  std::vector<RunId> runs;
  std::error_code error;
  for (std::filesystem::directory_iterator it(root_, error), end; !error && it != end;
       it.increment(error)) {
    RunId run = 0;
    if (absl::SimpleAtoi(it->path().filename().string(), &run)) runs.push_back(run);
  }
  if (error) return LogErrno("listing the folder of logs " + root_, error.value());
  std::ranges::sort(runs);
  return runs;
}

absl::StatusOr<std::int64_t> LogStore::BytesOf(RunId run) const {
  const std::string folder = fmt::format("{}/{}", root_, run);
  std::int64_t bytes = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code gone;  // packed meanwhile
    const auto size = static_cast<std::int64_t>(it->file_size(gone));
    if (!gone) bytes += size;
  }
  if (error && error.value() != ENOENT) return LogErrno("listing " + folder, error.value());
  return bytes;
}

absl::StatusOr<std::int64_t> LogStore::Remove(RunId run) {
  POTOK_ASSIGN_OR_RETURN(const std::int64_t bytes, BytesOf(run));
  const std::string folder = fmt::format("{}/{}", root_, run);
  const std::string aside = fmt::format("{}/{}{}", root_, kGone, run);
  {
    // Nobody makes a file in it while it goes; what is in it may take long to remove.
    MutexLock lock(mutex_);
    folders_.erase(run);
    const auto is_of_run = [run](const auto& entry) { return entry.first.run == run; };
    for (const auto& entry : logs_) {
      if (is_of_run(entry)) std::erase(open_, entry.second);
    }
    // Who waits for one is told by the log that it knows.
    std::erase_if(logs_, [&](const auto& entry) {
      return is_of_run(entry) && entry.second.use_count() == 1 && entry.second->IsIdle();
    });
    if (rename(folder.c_str(), aside.c_str()) != 0 && errno != ENOENT) {
      return LogErrno("removing " + folder, errno);
    }
  }
  std::error_code error;
  std::filesystem::remove_all(aside, error);
  if (error) return LogErrno("removing " + aside, error.value());
  return bytes;
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
  const std::shared_ptr<AttemptLog> log = FindLog(key);
  return log == nullptr ? AttemptLog::BytesOnDisk(PathsOf(key)) : log->stored();
}

bool LogStore::IsComplete(const AttemptKey& key) {
  const std::shared_ptr<AttemptLog> log = FindLog(key);
  return log != nullptr && log->IsComplete();
}

bool LogStore::KnowsEnd(const AttemptKey& key) {
  const std::shared_ptr<AttemptLog> log = FindLog(key);
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
  if (const std::shared_ptr<AttemptLog> log = FindLog(key)) log->CancelNotify(number);
}

}  // namespace potok::server
