// The calls of MLflow's API, one function each. For the files of this room.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "server/tracking/mlflow_api.h"
#include "server/tracking/mlflow_message.h"

namespace potok::server {

struct MlflowContext {
  TrackingStore& store;
  TrackingWriter& writer;
  const MlflowCaller& caller;
};

// An answer's object, or what is wrong. `id` is the part of the path that names a model.
using MlflowHandler = absl::StatusOr<Json> (*)(const MlflowContext& context, const Json& request);
using MlflowModelHandler = absl::StatusOr<Json> (*)(const MlflowContext& context,
                                                    const std::string& id,
                                                    const Json& request);

// Unix milliseconds.
std::int64_t NowMs();

// The step that calls; PERMISSION_DENIED for a person.
absl::StatusOr<StepClaim> StepOf(const MlflowContext& context);
// The run of the step itself, as it is made at its first call.
TrackedRun OwnRun(const StepClaim& claim);
// The run of this id if the caller may write to it: its own, and those that it made.
// PERMISSION_DENIED, NOT_FOUND.
absl::StatusOr<TrackedRun> WritableRun(const MlflowContext& context, const std::string& run_id);
// The run of this id, the caller's own if it is that, which is made if it is not there.
absl::StatusOr<TrackedRunData> ReadableRun(const MlflowContext& context, const std::string& run_id);

absl::StatusOr<Json> CreateTrackedRun(const MlflowContext& context, const Json& request);
absl::StatusOr<Json> GetTrackedRun(const MlflowContext& context, const Json& request);
absl::StatusOr<Json> UpdateTrackedRun(const MlflowContext& context, const Json& request);
absl::StatusOr<Json> DeleteTrackedRun(const MlflowContext& context, const Json& request);
absl::StatusOr<Json> RestoreTrackedRun(const MlflowContext& context, const Json& request);
absl::StatusOr<Json> SearchTrackedRuns(const MlflowContext& context, const Json& request);

absl::StatusOr<Json> LogMetric(const MlflowContext& context, const Json& request);
absl::StatusOr<Json> LogParameter(const MlflowContext& context, const Json& request);
absl::StatusOr<Json> LogBatch(const MlflowContext& context, const Json& request);
absl::StatusOr<Json> SetTag(const MlflowContext& context, const Json& request);
absl::StatusOr<Json> DeleteTag(const MlflowContext& context, const Json& request);
absl::StatusOr<Json> LogInputs(const MlflowContext& context, const Json& request);
absl::StatusOr<Json> LogOutputs(const MlflowContext& context, const Json& request);
absl::StatusOr<Json> LogModel(const MlflowContext& context, const Json& request);
absl::StatusOr<Json> GetMetricHistory(const MlflowContext& context, const Json& request);
absl::StatusOr<Json> ListRunArtifacts(const MlflowContext& context, const Json& request);

absl::StatusOr<Json> GetExperiment(const MlflowContext& context, const Json& request);
absl::StatusOr<Json> GetExperimentByName(const MlflowContext& context, const Json& request);
absl::StatusOr<Json> CreateExperiment(const MlflowContext& context, const Json& request);
absl::StatusOr<Json> SearchExperiments(const MlflowContext& context, const Json& request);

absl::StatusOr<Json> CreateLoggedModel(const MlflowContext& context, const Json& request);
absl::StatusOr<Json> GetLoggedModel(const MlflowContext& context,
                                    const std::string& id,
                                    const Json& request);
absl::StatusOr<Json> FinalizeLoggedModel(const MlflowContext& context,
                                         const std::string& id,
                                         const Json& request);
absl::StatusOr<Json> AddLoggedModelParams(const MlflowContext& context,
                                          const std::string& id,
                                          const Json& request);
absl::StatusOr<Json> SetLoggedModelTags(const MlflowContext& context,
                                        const std::string& id,
                                        const Json& request);

}  // namespace potok::server
