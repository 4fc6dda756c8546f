// MLflow 3's logged models: a description; their files are logged beside it.
#include <algorithm>
#include <utility>

#include "common/base/random_id.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "server/tracking/mlflow_handlers.h"

namespace potok::server {

namespace {

// Puts `items` (objects with a key) into a list, each in the place of the one of its key.
absl::Status MergeByKey(const std::vector<Json>& items, Json* list) {
  if (!list->is_array()) *list = Json::array();
  for (const Json& item : items) {
    POTOK_ASSIGN_OR_RETURN(const std::string key, TextOf(item, "key"));
    const auto known = std::find_if(list->begin(), list->end(), [&](const Json& other) {
      return other.value("key", "") == key;
    });
    if (known == list->end()) {
      list->push_back(item);
    } else {
      *known = item;
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Json> ModelJson(const LoggedModel& model) {
  Json json = Json::parse(model.json, nullptr, /*allow_exceptions=*/false);
  if (json.is_object()) return json;
  return absl::InternalError(fmt::format("the stored model {} cannot be read", model.id));
}

// The model, if the caller has made it.
absl::StatusOr<LoggedModel> WritableModel(const MlflowContext& context, const std::string& id) {
  POTOK_ASSIGN_OR_RETURN(const StepClaim claim, StepOf(context));
  POTOK_ASSIGN_OR_RETURN(LoggedModel model, context.store.GetModel(id));
  if (model.attempt == claim.attempt) return model;
  return absl::PermissionDeniedError(
      fmt::format("the step '{}' of run '{}' may not change the model {}: another step made it",
                  claim.step,
                  claim.run,
                  id));
}

absl::StatusOr<Json> Stored(const MlflowContext& context, LoggedModel model, Json json) {
  json["info"]["last_updated_timestamp_ms"] = NowMs();
  model.json = json.dump();
  POTOK_RETURN_IF_ERROR(context.store.PutModel(model));
  return Json{{"model", std::move(json)}};
}

}  // namespace

absl::StatusOr<Json> CreateLoggedModel(const MlflowContext& context, const Json& request) {
  POTOK_ASSIGN_OR_RETURN(const StepClaim claim, StepOf(context));
  LoggedModel model;
  model.id = "m-" + RandomId(32);  // as MLflow's own
  model.attempt = claim.attempt;
  POTOK_ASSIGN_OR_RETURN(std::string name, OptionalTextOf(request, "name"));
  if (name.empty()) name = "model-" + model.id.substr(2, 6);
  POTOK_ASSIGN_OR_RETURN(const std::string type, OptionalTextOf(request, "model_type"));
  POTOK_ASSIGN_OR_RETURN(const std::string source, OptionalTextOf(request, "source_run_id"));
  POTOK_ASSIGN_OR_RETURN(std::string experiment, OptionalTextOf(request, "experiment_id"));
  if (experiment.empty() || experiment == "0") experiment = claim.experiment;
  POTOK_ASSIGN_OR_RETURN(const std::vector<Json> params, ObjectsOf(request, "params"));
  POTOK_ASSIGN_OR_RETURN(const std::vector<Json> tags, ObjectsOf(request, "tags"));
  Json json = {{"info",
                {{"model_id", model.id},
                 {"experiment_id", experiment},
                 {"name", name},
                 {"creation_timestamp_ms", NowMs()},
                 {"artifact_uri", ArtifactUriOf(model.id)},
                 {"status", "LOGGED_MODEL_PENDING"},
                 {"model_type", type},
                 {"source_run_id", source}}},
               {"data", Json::object()}};
  POTOK_RETURN_IF_ERROR(MergeByKey(tags, &json["info"]["tags"]));
  POTOK_RETURN_IF_ERROR(MergeByKey(params, &json["data"]["params"]));
  return Stored(context, std::move(model), std::move(json));
}

absl::StatusOr<Json> GetLoggedModel(const MlflowContext& context,
                                    const std::string& id,
                                    const Json& /*request*/) {
  POTOK_ASSIGN_OR_RETURN(const LoggedModel model, context.store.GetModel(id));
  POTOK_ASSIGN_OR_RETURN(Json json, ModelJson(model));
  return Json{{"model", std::move(json)}};
}

absl::StatusOr<Json> FinalizeLoggedModel(const MlflowContext& context,
                                         const std::string& id,
                                         const Json& request) {
  POTOK_ASSIGN_OR_RETURN(LoggedModel model, WritableModel(context, id));
  POTOK_ASSIGN_OR_RETURN(Json json, ModelJson(model));
  POTOK_ASSIGN_OR_RETURN(const std::string status, TextOf(request, "status"));
  json["info"]["status"] = status;
  return Stored(context, std::move(model), std::move(json));
}

absl::StatusOr<Json> AddLoggedModelParams(const MlflowContext& context,
                                          const std::string& id,
                                          const Json& request) {
  POTOK_ASSIGN_OR_RETURN(LoggedModel model, WritableModel(context, id));
  POTOK_ASSIGN_OR_RETURN(Json json, ModelJson(model));
  POTOK_ASSIGN_OR_RETURN(const std::vector<Json> params, ObjectsOf(request, "params"));
  POTOK_RETURN_IF_ERROR(MergeByKey(params, &json["data"]["params"]));
  POTOK_RETURN_IF_ERROR(Stored(context, std::move(model), std::move(json)).status());
  return Json::object();
}

absl::StatusOr<Json> SetLoggedModelTags(const MlflowContext& context,
                                        const std::string& id,
                                        const Json& request) {
  POTOK_ASSIGN_OR_RETURN(LoggedModel model, WritableModel(context, id));
  POTOK_ASSIGN_OR_RETURN(Json json, ModelJson(model));
  POTOK_ASSIGN_OR_RETURN(const std::vector<Json> tags, ObjectsOf(request, "tags"));
  POTOK_RETURN_IF_ERROR(MergeByKey(tags, &json["info"]["tags"]));
  return Stored(context, std::move(model), std::move(json));
}

}  // namespace potok::server
