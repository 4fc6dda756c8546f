#include "agent/link/log_shipper.h"

#include <spdlog/spdlog.h>

#include <map>
#include <optional>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "agent/domain/backoff.h"
#include "agent/link/append_stream.h"
#include "agent/link/log_commands.h"
#include "agent/link/log_file.h"
#include "agent/link/log_watch.h"
#include "agent/link/wire.h"
#include "common/base/overloaded.h"
#include "common/runtime/logging.h"
#include "common/runtime/mutex.h"
#include "common/runtime/real_clock.h"

namespace potok::agent {
namespace {

// A file that grows is looked at so often; one that does not is watched (log_watch.h).
constexpr absl::Duration kLookEvery = absl::Milliseconds(2);
// Many steps end before this, and need no watch.
constexpr absl::Duration kFirstLookAfter = absl::Milliseconds(5);
// What is stored of ended ones is heard of within this.
constexpr absl::Duration kAnswersEvery = absl::Milliseconds(5);
// How often files are looked at for which the kernel gives no watch: one fstat(2) each.
constexpr absl::Duration kLookUnwatchedEvery = absl::Milliseconds(25);
// Some file systems (of a network, in user space) do not tell of every write.
constexpr absl::Duration kLookWatchedEvery = absl::Seconds(1);
constexpr std::int64_t kChunkBytesMax = 256 << 10;
// What one attempt may send before the next has its turn.
constexpr std::int64_t kTurnBytesMax = 4 << 20;

struct Entry {
  LogFile file;
  std::int64_t sent = 0;
  std::int64_t stored = 0;
  bool final_sent = false;
  absl::Duration look_at = absl::InfiniteDuration();  // since boot; as in the agenda

  bool InFlight() const { return sent > stored || final_sent; }
};

// True if the server may take the same bytes later; otherwise it refuses an attempt for good.
bool IsPassing(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnimplemented:
      return false;
    default:
      return true;
  }
}

}  // namespace

// Everything but the commands is its own thread's.
class LogShipper::Worker {
 public:
  Worker(std::shared_ptr<grpc::Channel> channel,
         const LogLimit& limit,
         std::function<void(AttemptKey)> stored)
      : channel_(std::move(channel)), limit_(limit), stored_(std::move(stored)), thread_([this] {
          NameThread("logs");
          Run();
        }) {}

  ~Worker() {
    {
      MutexLock lock(mutex_);
      closed_ = true;
      if (stream_in_use_ != nullptr) stream_in_use_->Cancel();
    }
    commands_.Close();
    watch_.Wake();
    thread_.join();
  }

  void Add(LogCommand command) {
    if (commands_.Add(std::move(command))) watch_.Wake();
  }

 private:
  void Run() {
    while (std::optional<std::vector<LogCommand>> commands = commands_.Take()) {
      for (LogCommand& command : *commands) Handle(std::move(command));
      if (stream_) TakeAnswers();
      if (stream_ && stream_->broken()) EndStream();
      if (BootTime() >= retry_at_) Ship();
      const absl::Duration wait = TimeToWait();
      const bool may_wait = commands_.Await(/*long_enough=*/wait > kFirstLookAfter);
      for (const AttemptKey& written : watch_.Wait(may_wait ? wait : absl::ZeroDuration())) {
        const auto entry = entries_.find(written);
        if (entry != entries_.end()) LookAt(BootTime(), *entry);
      }
    }
    SetStream(nullptr);
  }

  absl::Duration TimeToWait() {
    const absl::Duration now = BootTime();
    absl::Duration wait = absl::InfiniteDuration();
    if (!agenda_.empty()) wait = std::max(agenda_.begin()->first, retry_at_) - now;
    if (!suspects_.empty()) wait = std::max(kLookUnwatchedEvery, retry_at_ - now);
    return finals_ > 0 ? std::min(wait, kAnswersEvery) : wait;
  }

  void LookAt(absl::Duration when, std::pair<const AttemptKey, Entry>& entry) {
    agenda_.erase({entry.second.look_at, entry.first});
    entry.second.look_at = when;
    if (when != absl::InfiniteDuration()) agenda_.insert({when, entry.first});
  }

  void Handle(LogCommand command) {
    std::visit(Overloaded{[this](FollowCommand& follow) { EntryOf(follow.key, follow.path); },
                          [this](FinishCommand& finish) {
                            auto& entry = EntryOf(finish.key, finish.path);
                            entry.second.file.SetTotal(finish.stored_bytes);
                            LookAt(BootTime(), entry);
                          },
                          [this](DropCommand& drop) { Forget(drop.key); }},
               command);
  }

  std::pair<const AttemptKey, Entry>& EntryOf(const AttemptKey& key, const std::string& path) {
    const auto [entry, is_new] = entries_.try_emplace(key, Entry{.file = LogFile(path, limit_)});
    if (is_new) LookAt(BootTime() + kFirstLookAfter, *entry);
    return *entry;
  }

  void Forget(const AttemptKey& key) {
    suspects_.erase(key);
    watch_.Disarm(key);
    const auto entry = entries_.find(key);
    if (entry == entries_.end()) return;
    LookAt(absl::InfiniteDuration(), *entry);
    if (entry->second.final_sent) --finals_;
    entries_.erase(entry);
  }

  void TakeAnswers() {
    for (const auto& [key, stored] : stream_->TakeAnswers()) {
      const auto found = entries_.find(key);
      if (found == entries_.end()) continue;
      Entry& entry = found->second;
      entry.stored = std::max(entry.stored, stored);
      backoff_.Reset();
      suspects_.erase(key);
      if (entry.final_sent && entry.stored >= entry.file.total()) {
        Forget(key);
        stored_(key);
      }
    }
  }

  // Sends what there is, of every attempt in turn. While one of several is suspected of being what
  // the server refuses, only the first of them.
  void Ship() {
    if (!suspects_.empty()) {
      const auto suspect = entries_.find(*suspects_.begin());
      if (suspect == entries_.end()) {
        suspects_.erase(suspects_.begin());
      } else {
        Send(suspect->first, suspect->second);
      }
      return;
    }
    std::vector<AttemptKey> due;
    const absl::Duration now = BootTime();
    for (auto at = agenda_.begin(); at != agenda_.end() && at->first <= now; ++at) {
      due.push_back(at->second);
    }
    for (const AttemptKey& key : due) {
      auto& entry = *entries_.find(key);
      const std::int64_t sent = entry.second.sent;
      if (!Send(key, entry.second)) return;
      LookAt(NextLook(key, entry.second, entry.second.sent > sent), entry);
    }
  }

  absl::Duration NextLook(const AttemptKey& key, Entry& entry, bool grows) {
    if (entry.final_sent) return absl::InfiniteDuration();
    const absl::Duration now = BootTime();
    const bool has_more = entry.file.Available() > entry.sent;
    if (grows) return has_more ? now : now + kLookEvery;
    if (!watch_.Arm(key, entry.file.path())) return now + kLookUnwatchedEvery;
    // What was written before the watch was there is not told.
    return entry.file.Available() > entry.sent ? now : now + kLookWatchedEvery;
  }

  // False if the stream broke.
  bool Send(const AttemptKey& key, Entry& entry) {
    if (entry.final_sent) return true;
    const std::int64_t available = entry.file.Available();
    const std::int64_t turn_ends = entry.sent + kTurnBytesMax;
    while (entry.sent < available && entry.sent < turn_ends) {
      std::string bytes = entry.file.Read(entry.sent, kChunkBytesMax);
      if (bytes.empty()) break;
      if (!SendChunk(key, entry, std::move(bytes))) return false;
    }
    if (entry.file.finished() && !entry.final_sent && entry.sent >= entry.file.total()) {
      return SendChunk(key, entry, "");
    }
    return true;
  }

  bool SendChunk(const AttemptKey& key, Entry& entry, std::string bytes) {
    v1::AppendLogRequest request;
    *request.mutable_id() = ToProto(key);
    request.set_offset(entry.sent);
    const std::int64_t end = entry.sent + static_cast<std::int64_t>(bytes.size());
    request.set_data(std::move(bytes));
    request.set_final(entry.file.finished() && end >= entry.file.total());
    if (!stream_) {
      SetStream(std::make_unique<AppendStream>(channel_, [this] { watch_.Wake(); }));
    }
    if (!stream_->Write(request)) return false;
    entry.sent = end;
    entry.final_sent = request.final();
    if (entry.final_sent) ++finals_;
    return true;
  }

  void EndStream() {
    const absl::Status status = stream_->Close();
    SetStream(nullptr);
    retry_at_ = BootTime() + backoff_.Next();
    spdlog::debug("log stream ended error=\"{}\"", status.ToString());
    if (!IsPassing(status)) FindWhatIsRefused(status);
    for (auto& [key, entry] : entries_) {
      // The server has fewer bytes than it had said: it was restored from a backup.
      if (status.code() == absl::StatusCode::kOutOfRange && entry.InFlight()) entry.stored = 0;
      entry.sent = entry.stored;
      entry.final_sent = false;
    }
    finals_ = 0;
    for (auto& entry : entries_) LookAt(BootTime(), entry);
  }

  void FindWhatIsRefused(const absl::Status& status) {
    if (suspects_.empty()) {
      for (const auto& [key, entry] : entries_) {
        if (entry.InFlight()) suspects_.insert(key);
      }
      if (suspects_.size() != 1) return;
    }
    const AttemptKey refused = *suspects_.begin();
    spdlog::warn("log not kept: the server refuses it attempt={} error=\"{}\"",
                 ToString(refused),
                 status.ToString());
    Forget(refused);
    stored_(refused);
  }

  // The destructor cancels the stream that is in use, so that no write keeps it waiting.
  void SetStream(std::unique_ptr<AppendStream> stream) {
    {
      MutexLock lock(mutex_);
      stream_in_use_ = stream.get();
      if (closed_ && stream) stream->Cancel();
    }
    stream_ = std::move(stream);
  }

  const std::shared_ptr<grpc::Channel> channel_;
  const LogLimit limit_;
  const std::function<void(AttemptKey)> stored_;
  std::map<AttemptKey, Entry> entries_;
  std::set<std::pair<absl::Duration, AttemptKey>> agenda_;  // when each is looked at next
  int finals_ = 0;  // entries whose last chunk is on its way
  std::set<AttemptKey> suspects_;
  std::unique_ptr<AppendStream> stream_;
  absl::Duration retry_at_;
  Backoff backoff_{0x9e3779b97f4a7c15};

  LogWatch watch_;
  LogCommands commands_;
  Mutex mutex_;
  AppendStream* stream_in_use_ ABSL_GUARDED_BY(mutex_) = nullptr;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses the others
};

LogShipper::LogShipper(std::shared_ptr<grpc::Channel> channel,
                       const LogLimit& limit,
                       std::function<void(AttemptKey)> stored)
    : limit_(limit),
      worker_(std::make_unique<Worker>(std::move(channel), limit, std::move(stored))) {}

LogShipper::~LogShipper() = default;

std::int64_t LogShipper::StoredBytes(std::int64_t file_bytes) const {
  return StoredLogOf(file_bytes, limit_).bytes();
}

void LogShipper::Follow(const AttemptKey& key, const std::string& path) {
  worker_->Add(FollowCommand{key, path});
}

void LogShipper::Finish(const AttemptKey& key, const std::string& path, std::int64_t stored_bytes) {
  worker_->Add(FinishCommand{key, path, stored_bytes});
}

void LogShipper::Drop(const AttemptKey& key) {
  worker_->Add(DropCommand{key});
}

}  // namespace potok::agent
