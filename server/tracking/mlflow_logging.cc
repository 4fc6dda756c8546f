// What programs log to their runs.
#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "server/tracking/mlflow_handlers.h"

namespace potok::server {

namespace {

// mlflow/utils/validation.py.
constexpr std::size_t kMetricsPerBatchMax = 1000;
constexpr std::size_t kParamsPerBatchMax = 100;
constexpr std::size_t kEntitiesPerBatchMax = 1000;
constexpr std::int64_t kHistoryMax = 25'000;
// Of a run's inputs, outputs and models, which are few.
constexpr std::size_t kHiddenBytesMax = std::size_t{16} << 20;

// A write to the run that the request names.
absl::StatusOr<TrackedWrite> WriteOf(const MlflowContext& context, const Json& request) {
  POTOK_ASSIGN_OR_RETURN(const std::string id, RunIdOf(request));
  TrackedWrite write;
  POTOK_ASSIGN_OR_RETURN(write.run, WritableRun(context, id));
  return write;
}

absl::StatusOr<Json> Written(const MlflowContext& context, TrackedWrite write) {
  POTOK_RETURN_IF_ERROR(context.writer.Write(std::move(write)));
  return Json::object();
}

absl::Status CheckCount(const char* what, std::size_t count, std::size_t count_max) {
  if (count <= count_max) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("A batch logging request can contain at most {} {}. Got {} {}. Please split up "
                  "{} across multiple requests and try again.",
                  count_max,
                  what,
                  count,
                  what,
                  what));
}

// Adds `items` to the lists of an own tag, under their names.
absl::StatusOr<Json> AddHidden(const MlflowContext& context,
                               const Json& request,
                               const char* tag,
                               const std::vector<std::pair<const char*, const char*>>& lists) {
  POTOK_ASSIGN_OR_RETURN(TrackedWrite write, WriteOf(context, request));
  POTOK_ASSIGN_OR_RETURN(const TrackedRunData run, ReadableRun(context, write.run.mlflow_id));
  Json value = Json::object();
  const auto known = std::ranges::find(run.tags, tag, &NameAndText::name);
  if (known != run.tags.end()) value = Json::parse(known->text, nullptr, false);
  if (!value.is_object()) value = Json::object();
  for (const auto& [from, to] : lists) {
    POTOK_ASSIGN_OR_RETURN(const std::vector<Json> items, ObjectsOf(request, from));
    for (const Json& item : items) {
      Json& list = value[to];
      if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(item);
    }
  }
  std::string text = value.dump();
  if (text.size() > kHiddenBytesMax) {
    return absl::InvalidArgumentError("The inputs and outputs of a run are too many");
  }
  write.tags.push_back({tag, std::move(text)});
  return Written(context, std::move(write));
}

absl::Status CheckCounts(std::size_t metrics, std::size_t params, std::size_t tags) {
  POTOK_RETURN_IF_ERROR(CheckCount("metrics", metrics, kMetricsPerBatchMax));
  POTOK_RETURN_IF_ERROR(CheckCount("params", params, kParamsPerBatchMax));
  POTOK_RETURN_IF_ERROR(CheckCount("tags", tags, kParamsPerBatchMax));
  return CheckCount("metrics, params, and tags", metrics + params + tags, kEntitiesPerBatchMax);
}

absl::Status AddParams(const std::vector<Json>& params, TrackedWrite* write) {
  std::set<std::string> names;
  for (const Json& param : params) {
    POTOK_ASSIGN_OR_RETURN(write->params.emplace_back(), ParamOf(param));
    if (names.insert(write->params.back().name).second) continue;
    return absl::InvalidArgumentError(fmt::format(
        "Duplicate parameter keys have been submitted: ['{}']. Please ensure the request "
        "contains only one param value per param key.",
        write->params.back().name));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Json> LogMetric(const MlflowContext& context, const Json& request) {
  POTOK_ASSIGN_OR_RETURN(TrackedWrite write, WriteOf(context, request));
  POTOK_ASSIGN_OR_RETURN(write.metrics.emplace_back(), MetricOf(request));
  return Written(context, std::move(write));
}

absl::StatusOr<Json> LogParameter(const MlflowContext& context, const Json& request) {
  POTOK_ASSIGN_OR_RETURN(TrackedWrite write, WriteOf(context, request));
  POTOK_ASSIGN_OR_RETURN(write.params.emplace_back(), ParamOf(request));
  return Written(context, std::move(write));
}

absl::StatusOr<Json> SetTag(const MlflowContext& context, const Json& request) {
  POTOK_ASSIGN_OR_RETURN(TrackedWrite write, WriteOf(context, request));
  POTOK_ASSIGN_OR_RETURN(NameAndText tag, TagOf(request));
  if (tag.name == "mlflow.runName") write.name = tag.text;
  write.tags.push_back(std::move(tag));
  return Written(context, std::move(write));
}

absl::StatusOr<Json> DeleteTag(const MlflowContext& context, const Json& request) {
  POTOK_ASSIGN_OR_RETURN(TrackedWrite write, WriteOf(context, request));
  POTOK_ASSIGN_OR_RETURN(const std::string name, TextOf(request, "key"));
  POTOK_ASSIGN_OR_RETURN(const TrackedRunData run, ReadableRun(context, write.run.mlflow_id));
  if (std::ranges::find(run.tags, name, &NameAndText::name) == run.tags.end()) {
    return absl::NotFoundError(
        fmt::format("No tag with name: {} in run with id {}", name, write.run.mlflow_id));
  }
  write.removed_tags.push_back(name);
  return Written(context, std::move(write));
}

absl::StatusOr<Json> LogBatch(const MlflowContext& context, const Json& request) {
  POTOK_ASSIGN_OR_RETURN(TrackedWrite write, WriteOf(context, request));
  POTOK_ASSIGN_OR_RETURN(const std::vector<Json> metrics, ObjectsOf(request, "metrics"));
  POTOK_ASSIGN_OR_RETURN(const std::vector<Json> params, ObjectsOf(request, "params"));
  POTOK_ASSIGN_OR_RETURN(const std::vector<Json> tags, ObjectsOf(request, "tags"));
  POTOK_RETURN_IF_ERROR(CheckCounts(metrics.size(), params.size(), tags.size()));
  for (const Json& metric : metrics) {
    POTOK_ASSIGN_OR_RETURN(write.metrics.emplace_back(), MetricOf(metric));
  }
  POTOK_RETURN_IF_ERROR(AddParams(params, &write));
  for (const Json& tag : tags) {
    POTOK_ASSIGN_OR_RETURN(write.tags.emplace_back(), TagOf(tag));
  }
  return Written(context, std::move(write));
}

absl::StatusOr<Json> LogInputs(const MlflowContext& context, const Json& request) {
  return AddHidden(
      context, request, kInputsTag, {{"datasets", "dataset_inputs"}, {"models", "model_inputs"}});
}

absl::StatusOr<Json> LogOutputs(const MlflowContext& context, const Json& request) {
  return AddHidden(context, request, kOutputsTag, {{"models", "model_outputs"}});
}

// What MLflow 2 says of a model that it has logged as files: kept where its clients look for it.
absl::StatusOr<Json> LogModel(const MlflowContext& context, const Json& request) {
  constexpr char kHistoryTag[] = "mlflow.log-model.history";
  POTOK_ASSIGN_OR_RETURN(TrackedWrite write, WriteOf(context, request));
  POTOK_ASSIGN_OR_RETURN(const std::string text, TextOf(request, "model_json"));
  POTOK_ASSIGN_OR_RETURN(const Json model, ParseObject(text));
  POTOK_ASSIGN_OR_RETURN(const TrackedRunData run, ReadableRun(context, write.run.mlflow_id));
  Json history = Json::array();
  const auto known = std::ranges::find(run.tags, kHistoryTag, &NameAndText::name);
  if (known != run.tags.end()) history = Json::parse(known->text, nullptr, false);
  if (!history.is_array()) history = Json::array();
  history.push_back(model);
  write.tags.push_back({kHistoryTag, history.dump()});
  return Written(context, std::move(write));
}

absl::StatusOr<Json> GetMetricHistory(const MlflowContext& context, const Json& request) {
  POTOK_ASSIGN_OR_RETURN(const std::string id, RunIdOf(request));
  POTOK_ASSIGN_OR_RETURN(const std::string metric, TextOf(request, "metric_key"));
  POTOK_ASSIGN_OR_RETURN(std::int64_t limit, IntegerOf(request, "max_results", kHistoryMax));
  limit = std::clamp<std::int64_t>(limit, 1, kHistoryMax);
  POTOK_ASSIGN_OR_RETURN(const std::string token, OptionalTextOf(request, "page_token"));
  std::int64_t offset = 0;
  if (!token.empty() && (!absl::SimpleAtoi(token, &offset) || offset < 0)) {
    return absl::InvalidArgumentError(
        fmt::format("Invalid page token '{}': it is not one of this server", token));
  }
  POTOK_ASSIGN_OR_RETURN(const TrackedRunData run, ReadableRun(context, id));
  POTOK_ASSIGN_OR_RETURN(const std::vector<MetricValue> values,
                         context.store.History({id, run.run.attempt}, metric, offset, limit + 1));
  Json metrics = Json::array();
  for (const MetricValue& value : values) {
    if (std::cmp_equal(metrics.size(), limit)) break;
    metrics.push_back(MetricJson(value));
  }
  Json answer = {{"metrics", std::move(metrics)}};
  if (std::cmp_greater(values.size(), limit)) {
    answer["next_page_token"] = std::to_string(offset + limit);
  }
  return answer;
}

}  // namespace potok::server
