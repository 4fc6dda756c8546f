// Writes what steps log: one thread, which takes all that has come since its last transaction into
// the next one. So a storm of small calls costs the database, which the scheduler shares, few
// commits; and each caller is answered once its own is durable.
#pragma once

#include <condition_variable>
#include <deque>
#include <future>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "common/runtime/mutex.h"
#include "server/store/tracking_store.h"
#include "server/tracking/metric_sink.h"

namespace potok::server {

// Thread-safe.
class TrackingWriter final : public WantedMetrics {
 public:
  // `sink` may be empty. The store outlives this.
  TrackingWriter(TrackingStore& store, MetricSink sink);
  // Writes what is under way.
  ~TrackingWriter() override;
  TrackingWriter(const TrackingWriter&) = delete;
  TrackingWriter& operator=(const TrackingWriter&) = delete;

  // Blocks until it is written durably. INVALID_ARGUMENT if a parameter has another value already;
  // UNAVAILABLE if the database is away, or the writer stops: it may be written again.
  absl::Status Write(TrackedWrite write);

  void Want(const StepKey& step, const std::string& name) override;
  void Recall(const AttemptKey& from, const AttemptKey& as, const std::string& name) override;
  void Forget(const StepKey& step) override;

  // Nothing new; what was given is written. Idempotent.
  void Stop();

 private:
  struct Pending {
    TrackedWrite write;
    std::promise<absl::Status> written;
  };
  // What one attempt logged, told as another's.
  struct Recalled {
    AttemptKey from;
    AttemptKey as;
  };
  struct Wanted {
    StepKey step;
    std::string name;
    std::optional<Recalled> recalled = std::nullopt;
  };

  struct WantedMetric {
    std::string name;
    bool is_replayed = false;  // until then new values wait for the replay, which tells them
  };

  void Run();
  void WriteAll(std::vector<Pending> pending);
  void Tell(const TrackedWrite& write, const TrackedWritten& written);
  // Tells all that is stored of a metric, if it is wanted still.
  absl::Status Replay(const Wanted& wanted);
  absl::Status TellStored(const Wanted& wanted);

  TrackingStore& store_;
  const MetricSink sink_;

  Mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Pending> pending_ ABSL_GUARDED_BY(mutex_);
  std::vector<Wanted> replays_ ABSL_GUARDED_BY(mutex_);
  std::map<StepKey, WantedMetric> wanted_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // the last member: it uses the others
};

}  // namespace potok::server
