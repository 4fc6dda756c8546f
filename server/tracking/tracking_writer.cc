#include "server/tracking/tracking_writer.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "common/base/status_macros.h"
#include "common/runtime/logging.h"

namespace potok::server {

namespace {

// A transaction takes no more than these, so that one caller does not wait for too many others.
constexpr std::size_t kWritesMax = 512;
constexpr std::size_t kMetricsMax = 20'000;
constexpr std::int64_t kReplayPage = 10'000;
// Where the database is away: between tries to tell what is wanted.
constexpr auto kReplayPause = std::chrono::seconds(1);

}  // namespace

TrackingWriter::TrackingWriter(TrackingStore& store, MetricSink sink)
    : store_(store), sink_(std::move(sink)), thread_([this] {
        NameThread("tracking");
        Run();
      }) {}

TrackingWriter::~TrackingWriter() {
  Stop();
}

void TrackingWriter::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_all();
  if (thread_.joinable()) thread_.join();
}

absl::Status TrackingWriter::Write(TrackedWrite write) {
  std::future<absl::Status> written;
  {
    MutexLock lock(mutex_);
    if (stopping_) return absl::UnavailableError("the server is stopping; try again");
    Pending& pending = pending_.emplace_back();
    pending.write = std::move(write);
    written = pending.written.get_future();
  }
  arrived_.notify_all();
  return written.get();
}

void TrackingWriter::Want(const StepKey& step, const std::string& name) {
  {
    MutexLock lock(mutex_);
    wanted_[step] = {name, /*is_replayed=*/false};
    replays_.push_back({step, name, std::nullopt});
  }
  arrived_.notify_all();
}

void TrackingWriter::Recall(const AttemptKey& from, const AttemptKey& as, const std::string& name) {
  {
    MutexLock lock(mutex_);
    replays_.push_back({from.step(), name, Recalled{from, as}});
  }
  arrived_.notify_all();
}

void TrackingWriter::Forget(const StepKey& step) {
  MutexLock lock(mutex_);
  wanted_.erase(step);
  std::erase_if(replays_, [&](const Wanted& wanted) {
    return wanted.recalled ? wanted.recalled->as.step() == step : wanted.step == step;
  });
}

void TrackingWriter::Run() {
  std::vector<Wanted> replays;
  while (true) {
    std::vector<Pending> pending;
    {
      MutexLock lock(mutex_);
      const auto has_work = [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
        return !pending_.empty() || !replays_.empty() || stopping_;
      };
      if (replays.empty()) {
        arrived_.wait(lock.native(), has_work);
      } else {
        arrived_.wait_for(lock.native(), kReplayPause, has_work);
      }
      if (stopping_ && pending_.empty()) return;
      for (Wanted& wanted : replays_) replays.push_back(std::move(wanted));
      replays_.clear();
      std::size_t metrics = 0;
      while (!pending_.empty() && pending.size() < kWritesMax && metrics < kMetricsMax) {
        metrics += pending_.front().write.metrics.size();
        pending.push_back(std::move(pending_.front()));
        pending_.pop_front();
      }
    }
    // What is stored is told before what comes, so that counts rise.
    std::erase_if(replays, [this](const Wanted& wanted) { return Replay(wanted).ok(); });
    if (!pending.empty()) WriteAll(std::move(pending));
  }
}

void TrackingWriter::WriteAll(std::vector<Pending> pending) {
  std::vector<TrackedWrite> writes;
  writes.reserve(pending.size());
  for (Pending& one : pending) writes.push_back(std::move(one.write));
  absl::StatusOr<std::vector<TrackedWritten>> written = store_.Write(writes);
  if (!written.ok()) {
    spdlog::warn(
        "writing metrics failed calls={} error=\"{}\"", writes.size(), written.status().ToString());
    const absl::Status why = absl::UnavailableError("the database does not take it: " +
                                                    std::string(written.status().message()));
    for (Pending& one : pending) one.written.set_value(why);
    return;
  }
  for (std::size_t i = 0; i < pending.size(); ++i) {
    // Told before the caller is answered: what it wants after that is told by the replay alone.
    if ((*written)[i].status.ok()) Tell(writes[i], (*written)[i]);
    pending[i].written.set_value((*written)[i].status);
  }
}

void TrackingWriter::Tell(const TrackedWrite& write, const TrackedWritten& written) {
  if (sink_ == nullptr || write.metrics.empty() || write.run.is_child) return;
  std::string name;
  {
    MutexLock lock(mutex_);
    const auto wanted = wanted_.find(write.run.attempt.step());
    // The replay that is still to come tells of this too, behind what was stored before it.
    if (wanted == wanted_.end() || !wanted->second.is_replayed) return;
    name = wanted->second.name;
  }
  for (std::size_t i = 0; i < write.metrics.size(); ++i) {
    const MetricValue& metric = write.metrics[i];
    // What had been written before counts nothing now.
    if (metric.name != name || written.counts[i] <= 0) continue;
    sink_({write.run.attempt,
           metric.name,
           metric.value,
           metric.step,
           metric.timestamp_ms,
           written.counts[i]});
  }
}

absl::Status TrackingWriter::Replay(const Wanted& wanted) {
  if (sink_ == nullptr) return absl::OkStatus();
  if (wanted.recalled) return TellStored(wanted);
  {
    MutexLock lock(mutex_);
    const auto still = wanted_.find(wanted.step);
    if (still == wanted_.end() || still->second.name != wanted.name) return absl::OkStatus();
    // Set first, so that what is wanted anew meanwhile is not taken for replayed.
    still->second.is_replayed = true;
  }
  absl::Status told = TellStored(wanted);
  if (!told.ok()) {
    MutexLock lock(mutex_);
    const auto still = wanted_.find(wanted.step);
    if (still != wanted_.end()) still->second.is_replayed = false;
  }
  return told;
}

absl::Status TrackingWriter::TellStored(const Wanted& wanted) {
  POTOK_ASSIGN_OR_RETURN(const std::vector<TrackedRun> attempts, store_.AttemptsOf(wanted.step));
  for (const TrackedRun& attempt : attempts) {
    if (wanted.recalled && attempt.attempt != wanted.recalled->from) continue;
    const AttemptKey& told_as = wanted.recalled ? wanted.recalled->as : attempt.attempt;
    std::int64_t count = 0;
    bool is_last = false;
    while (!is_last) {
      POTOK_ASSIGN_OR_RETURN(
          const std::vector<MetricValue> values,
          store_.History({attempt.mlflow_id, attempt.attempt}, wanted.name, count, kReplayPage));
      for (const MetricValue& value : values) {
        sink_({told_as, value.name, value.value, value.step, value.timestamp_ms, ++count});
      }
      is_last = values.size() < static_cast<std::size_t>(kReplayPage);
    }
  }
  return absl::OkStatus();
}

}  // namespace potok::server
