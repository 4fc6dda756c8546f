// Experiments: those of Potok's runs, and those that programs make. A name is its own id.
#include <algorithm>
#include <utility>

#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "server/tracking/mlflow_handlers.h"

namespace potok::server {

namespace {

// mlflow/utils/validation.py, MAX_EXPERIMENT_NAME_LENGTH.
constexpr std::size_t kNameBytesMax = 500;

absl::StatusOr<bool> ExperimentExists(const MlflowContext& context, const std::string& name) {
  if (name == kDefaultExperiment) return true;
  if (context.caller.has_value() && context.caller->experiment == name) return true;
  POTOK_ASSIGN_OR_RETURN(const std::vector<std::string> names, context.store.Experiments());
  return std::ranges::find(names, name) != names.end();
}

absl::StatusOr<Json> ExperimentNamed(const MlflowContext& context, const std::string& name) {
  POTOK_ASSIGN_OR_RETURN(const bool exists, ExperimentExists(context, name));
  if (exists) return Json{{"experiment", ExperimentJson(name)}};
  return absl::NotFoundError(fmt::format("No Experiment with id={} exists", name));
}

}  // namespace

absl::StatusOr<Json> GetExperiment(const MlflowContext& context, const Json& request) {
  POTOK_ASSIGN_OR_RETURN(const std::string id, TextOf(request, "experiment_id"));
  // "0" is what MLflow calls the experiment that nobody named.
  return ExperimentNamed(context, id == "0" ? kDefaultExperiment : id);
}

absl::StatusOr<Json> GetExperimentByName(const MlflowContext& context, const Json& request) {
  POTOK_ASSIGN_OR_RETURN(const std::string name, TextOf(request, "experiment_name"));
  return ExperimentNamed(context, name);
}

absl::StatusOr<Json> CreateExperiment(const MlflowContext& context, const Json& request) {
  POTOK_RETURN_IF_ERROR(StepOf(context).status());
  POTOK_ASSIGN_OR_RETURN(const std::string name, TextOf(request, "name"));
  if (name.size() > kNameBytesMax) {
    return absl::InvalidArgumentError(fmt::format(
        "The name of an experiment has at most {} bytes, this has {}", kNameBytesMax, name.size()));
  }
  POTOK_ASSIGN_OR_RETURN(bool is_taken, ExperimentExists(context, name));
  if (!is_taken) {
    POTOK_ASSIGN_OR_RETURN(const bool added, context.store.AddExperiment(name, NowMs()));
    is_taken = !added;
  }
  if (is_taken) {
    return absl::AlreadyExistsError(fmt::format("Experiment '{}' already exists.", name));
  }
  return Json{{"experiment_id", name}};
}

absl::StatusOr<Json> SearchExperiments(const MlflowContext& context, const Json& request) {
  POTOK_ASSIGN_OR_RETURN(const std::string filter, OptionalTextOf(request, "filter"));
  if (!filter.empty()) {
    return absl::InvalidArgumentError(
        "Experiments are not filtered here: leave the filter out, and choose among them");
  }
  POTOK_ASSIGN_OR_RETURN(std::vector<std::string> names, context.store.Experiments());
  if (std::ranges::find(names, kDefaultExperiment) == names.end()) {
    names.emplace_back(kDefaultExperiment);
  }
  Json experiments = Json::array();
  for (const std::string& name : names) experiments.push_back(ExperimentJson(name));
  return Json{{"experiments", std::move(experiments)}};
}

}  // namespace potok::server
