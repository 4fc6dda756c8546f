#include "agent/link/log_shipper.h"

#include <spdlog/spdlog.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <optional>
#include <set>
#include <thread>
#include <variant>
#include <vector>

#include "agent/domain/backoff.h"
#include "agent/link/append_stream.h"
#include "agent/link/log_file.h"
#include "agent/link/wire.h"
#include "common/base/overloaded.h"
#include "common/runtime/logging.h"
#include "common/runtime/mutex.h"
#include "common/runtime/real_clock.h"

namespace potok::agent {
namespace {

// How often files that may grow are looked at. A look costs one fstat(2) per running attempt.
constexpr absl::Duration kLookEvery = absl::Milliseconds(25);
constexpr std::int64_t kChunkBytesMax = 256 << 10;
// What one attempt may send before the next has its turn.
constexpr std::int64_t kTurnBytesMax = 4 << 20;

struct FollowCommand {
  AttemptKey key;
  std::string path;
};
struct FinishCommand {
  AttemptKey key;
  std::string path;
  std::int64_t stored_bytes;
};
struct DropCommand {
  AttemptKey key;
};
using Command = std::variant<FollowCommand, FinishCommand, DropCommand>;

struct Entry {
  LogFile file;
  std::int64_t sent = 0;
  std::int64_t stored = 0;
  bool final_sent = false;

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
  Worker(std::shared_ptr<grpc::Channel> channel, std::function<void(AttemptKey)> stored)
      : channel_(std::move(channel)), stored_(std::move(stored)), thread_([this] {
          NameThread("logs");
          Run();
        }) {}

  ~Worker() {
    {
      MutexLock lock(mutex_);
      closed_ = true;
      if (stream_in_use_ != nullptr) stream_in_use_->Cancel();
      changed_.notify_one();
    }
    thread_.join();
  }

  void Add(Command command) {
    MutexLock lock(mutex_);
    // Files that are followed are looked at soon anyway; an ended one is worth waking up for.
    const bool wake = idle_ || std::holds_alternative<FinishCommand>(command);
    commands_.push_back(std::move(command));
    if (wake) changed_.notify_one();
  }

 private:
  void Run() {
    while (true) {
      std::optional<std::vector<Command>> commands = TakeCommands();
      if (!commands) break;
      for (Command& command : *commands) Handle(std::move(command));
      if (stream_) TakeAnswers();
      if (stream_ && stream_->broken()) EndStream();
      if (BootTime() >= retry_at_) Ship();
    }
    SetStream(nullptr);
  }

  std::optional<std::vector<Command>> TakeCommands() {
    MutexLock lock(mutex_);
    idle_ = entries_.empty();
    const auto has_news = [this] { return HasNews(); };
    if (idle_) {
      changed_.wait(lock.native(), has_news);
    } else {
      changed_.wait_for(lock.native(), absl::ToChronoMilliseconds(kLookEvery), has_news);
    }
    idle_ = false;
    if (closed_) return std::nullopt;
    return std::exchange(commands_, {});
  }
  bool HasNews() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    // A followed file alone is no reason to look before its time.
    if (closed_ || (idle_ && !commands_.empty())) return true;
    return std::any_of(commands_.begin(), commands_.end(), [](const Command& command) {
      return std::holds_alternative<FinishCommand>(command);
    });
  }

  void Handle(Command command) {
    std::visit(Overloaded{[this](FollowCommand& follow) { EntryOf(follow.key, follow.path); },
                          [this](FinishCommand& finish) {
                            EntryOf(finish.key, finish.path).file.SetTotal(finish.stored_bytes);
                          },
                          [this](DropCommand& drop) { Forget(drop.key); }},
               command);
  }

  Entry& EntryOf(const AttemptKey& key, const std::string& path) {
    return entries_.try_emplace(key, Entry{.file = LogFile(path)}).first->second;
  }

  void Forget(const AttemptKey& key) {
    entries_.erase(key);
    suspects_.erase(key);
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
    for (auto& [key, entry] : entries_) {
      if (!Send(key, entry)) return;
    }
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
    if (!stream_) SetStream(std::make_unique<AppendStream>(channel_));
    if (!stream_->Write(request)) return false;
    entry.sent = end;
    entry.final_sent = request.final();
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
  const std::function<void(AttemptKey)> stored_;
  std::map<AttemptKey, Entry> entries_;
  std::set<AttemptKey> suspects_;
  std::unique_ptr<AppendStream> stream_;
  absl::Duration retry_at_;
  Backoff backoff_{0x9e3779b97f4a7c15};

  Mutex mutex_;
  std::condition_variable changed_;
  std::vector<Command> commands_ ABSL_GUARDED_BY(mutex_);
  AppendStream* stream_in_use_ ABSL_GUARDED_BY(mutex_) = nullptr;
  bool idle_ ABSL_GUARDED_BY(mutex_) = true;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses the others
};

LogShipper::LogShipper(std::shared_ptr<grpc::Channel> channel,
                       std::function<void(AttemptKey)> stored)
    : worker_(std::make_unique<Worker>(std::move(channel), std::move(stored))) {}

LogShipper::~LogShipper() = default;

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
