// The port to what steps log: metrics, parameters, tags, files, models. Beside the journal: nothing
// here decides anything. The real one is postgres/; docs/decisions/0020-what-steps-log.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/attempt.h"
#include "common/base/digest.h"

namespace potok::server {

// MLflow's numbers (service.proto, RunStatus).
enum class TrackedStatus { kRunning = 1, kScheduled = 2, kFinished = 3, kFailed = 4, kKilled = 5 };

// Names one: which attempt's, or the newest of this MLflow id if attempt.run is 0.
struct TrackedId {
  std::string mlflow_id;
  AttemptKey attempt;
};

// Something that logs: an attempt of a step, or a run that it made below itself. Texts are UTF-8
// without zeros, at most 8000 bytes. Times are Unix milliseconds, 0: not yet.
struct TrackedRun {
  std::string mlflow_id;  // shared by all attempts of a step; rarely by steps of other runs too
  AttemptKey attempt;
  bool is_child = false;
  std::string run_name;  // Potok's names of run and step
  std::string step_name;
  std::string name;  // MLflow's run name
  std::string experiment;
  std::string user;
  TrackedStatus status = TrackedStatus::kRunning;
  bool is_deleted = false;
  std::int64_t start_ms = 0;
  std::int64_t end_ms = 0;
};

struct MetricValue {
  std::string name;
  double value = 0;  // may be NaN or infinite
  std::int64_t timestamp_ms = 0;
  std::int64_t step = 0;
};
struct MetricSummary {
  MetricValue latest;  // of the highest step, then time, then value
  std::int64_t count = 0;
  double min = 0;
  double max = 0;
};
struct NameAndText {
  std::string name;
  std::string text;
};

// What one call logs: all of it or nothing.
struct TrackedWrite {
  TrackedRun run;  // made as it is here if there is none of its mlflow_id and attempt
  std::vector<MetricValue> metrics;
  std::vector<NameAndText> params;
  std::vector<NameAndText> tags;
  std::vector<std::string> removed_tags;
  std::optional<TrackedStatus> status;
  std::optional<std::int64_t> end_ms;
  std::optional<std::string> name;
  std::optional<bool> is_deleted;
};
// How it went.
struct TrackedWritten {
  // INVALID_ARGUMENT if a parameter has another value already; then nothing of it was written.
  absl::Status status;
  // Of each metric of the write, how many values there are now; in its order.
  std::vector<std::int64_t> counts;
};

struct TrackedRunData {
  TrackedRun run;
  std::vector<MetricSummary> metrics;  // by name, as all below
  std::vector<NameAndText> params;
  std::vector<NameAndText> tags;
};

// One condition of a search: `attribute.status = 'FINISHED'`.
struct TrackedCondition {
  enum class Of { kMetric, kParam, kTag, kAttribute };
  Of of = Of::kAttribute;
  std::string name;                // of attributes: one of kTrackedAttributes
  std::string comparator;          // = != > >= < <= LIKE ILIKE IN "NOT IN"
  double number = 0;               // of metrics and of times
  std::vector<std::string> texts;  // of the others; one, but for IN
};
struct TrackedOrder {
  TrackedCondition::Of of = TrackedCondition::Of::kAttribute;
  std::string name;
  bool ascending = true;
};
struct TrackedSearch {
  std::vector<std::string> experiments;
  std::vector<TrackedCondition> conditions;  // all of them hold
  std::vector<TrackedOrder> order;           // then newest first
  bool with_active = true;
  bool with_deleted = false;
  std::int64_t limit = 1000;
  std::int64_t offset = 0;
};

struct LoggedArtifact {
  std::string holder;
  std::string path;  // relative, '/' between its names
  Digest digest;
  RunId run = 0;
  std::int64_t logged_ms = 0;
};
struct LoggedModel {
  std::string id;
  AttemptKey attempt;
  std::string json;
};

// Thread-safe; every call blocks. UNAVAILABLE: the database is away; what was written is not known,
// and may be written again.
class TrackingStore {
 public:
  virtual ~TrackingStore() = default;

  // Writes all of these durably in one transaction, and says how each went.
  virtual absl::StatusOr<std::vector<TrackedWritten>> Write(
      const std::vector<TrackedWrite>& writes) = 0;

  virtual absl::StatusOr<TrackedRunData> Get(const TrackedId& id) = 0;  // NOT_FOUND
  // Those of a run, in the order of steps and attempts, children behind their step's own.
  virtual absl::StatusOr<std::vector<TrackedRunData>> OfRun(RunId run) = 0;
  virtual absl::StatusOr<std::vector<TrackedRunData>> Search(const TrackedSearch& search) = 0;
  // By step, then time; from `offset` on. NOT_FOUND if there is no such run.
  virtual absl::StatusOr<std::vector<MetricValue>> History(const TrackedId& id,
                                                           const std::string& metric,
                                                           std::int64_t offset,
                                                           std::int64_t limit) = 0;
  // The own run of each attempt of a step, without what it logged, in the order of attempts.
  virtual absl::StatusOr<std::vector<TrackedRun>> AttemptsOf(const StepKey& step) = 0;

  // False if there is one already.
  virtual absl::StatusOr<bool> AddExperiment(const std::string& name, std::int64_t created_ms) = 0;
  // Those that were added and those that runs name, in the order of names.
  virtual absl::StatusOr<std::vector<std::string>> Experiments() = 0;

  // In the place of what was logged there before.
  virtual absl::Status PutArtifact(const LoggedArtifact& artifact) = 0;
  virtual absl::StatusOr<LoggedArtifact> GetArtifact(const std::string& holder,
                                                     const std::string& path) = 0;  // NOT_FOUND
  // All below a folder ("": all), by path.
  virtual absl::StatusOr<std::vector<LoggedArtifact>> ListArtifacts(const std::string& holder,
                                                                    const std::string& folder) = 0;

  // All that go with a run, by holder and path.
  virtual absl::StatusOr<std::vector<LoggedArtifact>> ArtifactsOf(RunId run) = 0;

  // In the place of the one of this id.
  virtual absl::Status PutModel(const LoggedModel& model) = 0;
  virtual absl::StatusOr<LoggedModel> GetModel(const std::string& id) = 0;  // NOT_FOUND
};

}  // namespace potok::server
