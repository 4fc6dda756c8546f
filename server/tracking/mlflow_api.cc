#include "server/tracking/mlflow_api.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "common/base/status_macros.h"
#include "common/rpc/utf8.h"
#include "fmt/format.h"
#include "server/tracking/mlflow_handlers.h"

namespace potok::server {

namespace {

using RouteKey = std::pair<std::string, std::string>;  // method and path

const std::map<RouteKey, MlflowHandler>& Routes() {
  static const std::map<RouteKey, MlflowHandler> kRoutes = {
      {{"POST", "/runs/create"}, CreateTrackedRun},
      {{"GET", "/runs/get"}, GetTrackedRun},
      {{"POST", "/runs/update"}, UpdateTrackedRun},
      {{"POST", "/runs/delete"}, DeleteTrackedRun},
      {{"POST", "/runs/restore"}, RestoreTrackedRun},
      {{"POST", "/runs/search"}, SearchTrackedRuns},
      {{"POST", "/runs/log-metric"}, LogMetric},
      {{"POST", "/runs/log-parameter"}, LogParameter},
      {{"POST", "/runs/log-batch"}, LogBatch},
      {{"POST", "/runs/set-tag"}, SetTag},
      {{"POST", "/runs/delete-tag"}, DeleteTag},
      {{"POST", "/runs/log-inputs"}, LogInputs},
      {{"POST", "/runs/outputs"}, LogOutputs},
      {{"POST", "/runs/log-model"}, LogModel},
      {{"GET", "/metrics/get-history"}, GetMetricHistory},
      {{"GET", "/artifacts/list"}, ListRunArtifacts},
      {{"GET", "/experiments/get"}, GetExperiment},
      {{"GET", "/experiments/get-by-name"}, GetExperimentByName},
      {{"POST", "/experiments/create"}, CreateExperiment},
      {{"POST", "/experiments/search"}, SearchExperiments},
      {{"GET", "/experiments/search"}, SearchExperiments},
      {{"POST", "/logged-models"}, CreateLoggedModel},
  };
  return kRoutes;
}

// Behind "/logged-models/ID".
const std::map<RouteKey, MlflowModelHandler>& ModelRoutes() {
  static const std::map<RouteKey, MlflowModelHandler> kRoutes = {
      {{"GET", ""}, GetLoggedModel},
      {{"PATCH", ""}, FinalizeLoggedModel},
      {{"POST", "/params"}, AddLoggedModelParams},
      {{"PATCH", "/tags"}, SetLoggedModelTags},
  };
  return kRoutes;
}

// A GET says in its query what others say in their body.
absl::StatusOr<Json> RequestObject(const MlflowRequest& request) {
  POTOK_ASSIGN_OR_RETURN(Json object, ParseObject(request.body));
  for (const auto& [name, value] : request.query) {
    if (value.find('\0') != std::string::npos || AsUtf8(value) != value) {
      return absl::InvalidArgumentError("Texts are UTF-8 without zero bytes");
    }
    object[name] = value;
  }
  return object;
}

absl::StatusOr<Json> Dispatch(const MlflowContext& context, const MlflowRequest& request) {
  POTOK_ASSIGN_OR_RETURN(const Json object, RequestObject(request));
  if (const auto route = Routes().find({request.method, request.path}); route != Routes().end()) {
    return route->second(context, object);
  }
  const std::string models = "/logged-models/";
  if (request.path.rfind(models, 0) == 0) {
    const std::size_t end = std::min(request.path.find('/', models.size()), request.path.size());
    const auto route = ModelRoutes().find({request.method, request.path.substr(end)});
    if (route != ModelRoutes().end()) {
      return route->second(
          context, request.path.substr(models.size(), end - models.size()), object);
    }
  }
  return absl::UnimplementedError(fmt::format(
      "{} {} is not a call of MLflow's that this server has", request.method, request.path));
}

}  // namespace

std::int64_t NowMs() {
  return absl::ToUnixMillis(absl::Now());
}

absl::StatusOr<StepClaim> StepOf(const MlflowContext& context) {
  if (context.caller.has_value()) return *context.caller;
  return absl::PermissionDeniedError(
      "only a step writes, with the token that it finds in MLFLOW_TRACKING_TOKEN; the server's own "
      "token reads");
}

TrackedRun OwnRun(const StepClaim& claim) {
  TrackedRun run;
  run.mlflow_id = claim.mlflow_id;
  run.attempt = claim.attempt;
  run.run_name = claim.run;
  run.step_name = claim.step;
  run.name = claim.mlflow_id;
  run.experiment = claim.experiment;
  run.start_ms = NowMs();
  return run;
}

absl::StatusOr<TrackedRun> WritableRun(const MlflowContext& context, const std::string& run_id) {
  POTOK_ASSIGN_OR_RETURN(const StepClaim claim, StepOf(context));
  if (run_id == claim.mlflow_id) return OwnRun(claim);
  POTOK_ASSIGN_OR_RETURN(const TrackedRunData other, context.store.Get({run_id, {}}));
  if (other.run.is_child && other.run.attempt == claim.attempt) return other.run;
  return absl::PermissionDeniedError(fmt::format(
      "the step '{}' of run '{}' may not write to the MLflow run '{}': a step writes to "
      "its own ('{}') and to those that it makes",
      claim.step,
      claim.run,
      run_id,
      claim.mlflow_id));
}

absl::StatusOr<TrackedRunData> ReadableRun(const MlflowContext& context,
                                           const std::string& run_id) {
  if (!context.caller.has_value() || run_id != context.caller->mlflow_id) {
    return context.store.Get({run_id, {}});
  }
  const TrackedId own{run_id, context.caller->attempt};
  absl::StatusOr<TrackedRunData> found = context.store.Get(own);
  if (!absl::IsNotFound(found.status())) return found;
  TrackedWrite first;
  first.run = OwnRun(*context.caller);
  POTOK_RETURN_IF_ERROR(context.writer.Write(std::move(first)));
  return context.store.Get(own);
}

MlflowAnswer MlflowApi::Handle(const MlflowCaller& caller, const MlflowRequest& request) const {
  const absl::StatusOr<Json> answer = Dispatch({store_, writer_, caller}, request);
  if (!answer.ok()) return {HttpStatusOfMlflow(answer.status()), ErrorText(answer.status())};
  return {200, answer->dump(-1, ' ', false, Json::error_handler_t::replace)};
}

}  // namespace potok::server
