// A store of what steps log that keeps nothing but what the writer asks for, in memory.
#pragma once

#include <condition_variable>
#include <mutex>
#include <vector>

#include "server/store/tracking_store.h"

namespace potok::server {

class FakeTrackingStore final : public TrackingStore {
 public:
  absl::StatusOr<std::vector<TrackedWritten>> Write(
      const std::vector<TrackedWrite>& writes) override {
    std::unique_lock<std::mutex> lock(mutex_);
    writing_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !held_; });
    writing_ = false;
    transactions.push_back(writes.size());
    if (!failure.ok()) return failure;
    std::vector<TrackedWritten> written(writes.size());
    for (std::size_t i = 0; i < writes.size(); ++i) {
      for (const MetricValue& metric : writes[i].metrics) {
        values.push_back(metric);
        written[i].counts.push_back(static_cast<std::int64_t>(values.size()));
      }
      if (!writes[i].params.empty()) {
        written[i].status = absl::InvalidArgumentError("another value");
      }
      run = writes[i].run;
    }
    return written;
  }

  // While it is held, what comes waits in the writer.
  void Hold(bool held) {
    const std::lock_guard<std::mutex> lock(mutex_);
    held_ = held;
    changed_.notify_all();
  }
  void WaitUntilWriting() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return writing_; });
  }

  absl::StatusOr<std::vector<TrackedRun>> AttemptsOf(const StepKey& /*step*/) override {
    return run.mlflow_id.empty() ? std::vector<TrackedRun>() : std::vector<TrackedRun>{run};
  }
  absl::StatusOr<std::vector<MetricValue>> History(const TrackedId& /*id*/,
                                                   const std::string& /*metric*/,
                                                   std::int64_t offset,
                                                   std::int64_t limit) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::vector<MetricValue> page;
    for (auto i = static_cast<std::size_t>(offset); i < values.size(); ++i) {
      if (page.size() < static_cast<std::size_t>(limit)) page.push_back(values[i]);
    }
    return page;
  }

  absl::StatusOr<TrackedRunData> Get(const TrackedId& /*id*/) override { return NotHere(); }
  absl::StatusOr<std::vector<TrackedRunData>> OfRun(RunId /*run*/) override { return NotHere(); }
  absl::StatusOr<std::vector<TrackedRunData>> Search(const TrackedSearch& /*search*/) override {
    return NotHere();
  }
  absl::StatusOr<bool> AddExperiment(const std::string& /*name*/, std::int64_t /*at*/) override {
    return NotHere();
  }
  absl::StatusOr<std::vector<std::string>> Experiments() override { return NotHere(); }
  absl::Status PutArtifact(const LoggedArtifact& /*artifact*/) override { return NotHere(); }
  absl::StatusOr<LoggedArtifact> GetArtifact(const std::string& /*holder*/,
                                             const std::string& /*path*/) override {
    return NotHere();
  }
  absl::StatusOr<std::vector<LoggedArtifact>> ListArtifacts(
      const std::string& /*holder*/, const std::string& /*folder*/) override {
    return NotHere();
  }
  absl::StatusOr<std::vector<LoggedArtifact>> ArtifactsOf(RunId /*run*/) override {
    return NotHere();
  }
  absl::Status PutModel(const LoggedModel& /*model*/) override { return NotHere(); }
  absl::StatusOr<LoggedModel> GetModel(const std::string& /*id*/) override { return NotHere(); }

  std::vector<std::size_t> transactions;  // how many calls each took
  std::vector<MetricValue> values;
  TrackedRun run;  // the last that was written to
  absl::Status failure;

 private:
  static absl::Status NotHere() { return absl::UnimplementedError("the fake has none"); }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
  bool writing_ = false;
};

}  // namespace potok::server
