// A store of what steps log with one run, one model and one file in it, whatever is asked for. It
// keeps nothing, and looks at what it is given: PostgreSQL would refuse other texts.
#pragma once

#include <string>
#include <vector>

#include "common/base/check.h"
#include "common/rpc/utf8.h"
#include "server/store/tracking_store.h"
#include "server/tracking/step_token.h"
#include "server/tracking/tracked_run.h"

namespace potok::server {

class TrackingWorld final : public TrackingStore {
 public:
  explicit TrackingWorld(const StepClaim& step) {
    TrackedRun& run = data_.run;
    run.mlflow_id = step.mlflow_id;
    run.attempt = step.attempt;
    run.run_name = step.run;
    run.step_name = step.step;
    run.experiment = step.experiment;
    run.start_ms = 1000;
    data_.metrics.push_back({{"loss", 0.5, 1000, 3}, 4, 0.1, 0.5});
    data_.params.push_back({"lr", "0.1"});
    data_.tags.push_back({"owner", "ada"});
  }

  absl::StatusOr<std::vector<TrackedWritten>> Write(
      const std::vector<TrackedWrite>& writes) override {
    std::vector<TrackedWritten> written(writes.size());
    for (std::size_t i = 0; i < writes.size(); ++i) {
      CheckWrite(writes[i]);
      written[i].counts.assign(writes[i].metrics.size(), 1);
    }
    return written;
  }
  absl::StatusOr<TrackedRunData> Get(const TrackedId& id) override {
    CheckText(id.mlflow_id);
    return data_;
  }
  absl::StatusOr<std::vector<TrackedRunData>> OfRun(RunId /*run*/) override {
    return std::vector<TrackedRunData>{data_};
  }
  absl::StatusOr<std::vector<TrackedRunData>> Search(const TrackedSearch& search) override {
    POTOK_CHECK(search.limit >= 0 && search.offset >= 0);
    for (const std::string& experiment : search.experiments) CheckText(experiment);
    for (const TrackedCondition& condition : search.conditions) {
      CheckText(condition.name);
      for (const std::string& text : condition.texts) CheckText(text);
    }
    for (const TrackedOrder& order : search.order) CheckText(order.name);
    return std::vector<TrackedRunData>{data_};
  }
  absl::StatusOr<std::vector<MetricValue>> History(const TrackedId& id,
                                                   const std::string& metric,
                                                   std::int64_t offset,
                                                   std::int64_t limit) override {
    CheckText(id.mlflow_id);
    CheckText(metric);
    POTOK_CHECK(offset >= 0 && limit >= 0);
    return std::vector<MetricValue>{data_.metrics.front().latest};
  }
  absl::StatusOr<std::vector<TrackedRun>> AttemptsOf(const StepKey& /*step*/) override {
    return std::vector<TrackedRun>{data_.run};
  }
  absl::StatusOr<bool> AddExperiment(const std::string& name, std::int64_t /*at*/) override {
    CheckText(name);
    return true;
  }
  absl::StatusOr<std::vector<std::string>> Experiments() override {
    return std::vector<std::string>{data_.run.experiment};
  }
  absl::Status PutArtifact(const LoggedArtifact& artifact) override {
    CheckText(artifact.path);
    return absl::OkStatus();
  }
  absl::StatusOr<LoggedArtifact> GetArtifact(const std::string& holder,
                                             const std::string& path) override {
    CheckText(holder);
    CheckText(path);
    return File();
  }
  absl::StatusOr<std::vector<LoggedArtifact>> ListArtifacts(const std::string& holder,
                                                            const std::string& folder) override {
    CheckText(holder);
    CheckText(folder);
    LoggedArtifact file = File();
    if (!folder.empty()) file.path = folder + "/" + file.path;
    return std::vector<LoggedArtifact>{file};
  }
  absl::StatusOr<std::vector<LoggedArtifact>> ArtifactsOf(RunId /*run*/) override {
    return std::vector<LoggedArtifact>{File()};
  }
  absl::Status PutModel(const LoggedModel& model) override {
    CheckText(model.id);
    CheckText(model.json);
    return absl::OkStatus();
  }
  absl::StatusOr<LoggedModel> GetModel(const std::string& id) override {
    CheckText(id);
    return LoggedModel{id, data_.run.attempt, "{}"};
  }

 private:
  static void CheckText(const std::string& text) {
    POTOK_CHECK(text.find('\0') == std::string::npos && AsUtf8(text) == text);
  }
  static void CheckPairs(const std::vector<NameAndText>& pairs) {
    for (const NameAndText& pair : pairs) {
      CheckText(pair.name);
      CheckText(pair.text);
      POTOK_CHECK(!pair.name.empty());
    }
  }
  static void CheckWrite(const TrackedWrite& write) {
    for (const std::string& text : {write.run.mlflow_id, write.run.name, write.run.user}) {
      CheckText(text);
    }
    for (const MetricValue& metric : write.metrics) {
      CheckText(metric.name);
      POTOK_CHECK(!metric.name.empty() && metric.timestamp_ms >= 0);
    }
    CheckPairs(write.params);
    CheckPairs(write.tags);
    for (const std::string& tag : write.removed_tags) CheckText(tag);
    if (write.name) CheckText(*write.name);
  }
  static LoggedArtifact File() {
    LoggedArtifact file;
    file.path = "notes/a.txt";
    file.digest = DigestOf("hello");
    return file;
  }

  TrackedRunData data_;
};

}  // namespace potok::server
