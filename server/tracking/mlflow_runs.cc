// Runs: made, read, searched, changed.
#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "common/base/random_id.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "server/tracking/mlflow_filter.h"
#include "server/tracking/mlflow_handlers.h"

namespace potok::server {

namespace {

constexpr std::size_t kRunIdCharacters = 32;  // as MLflow's own
constexpr char kRunNameTag[] = "mlflow.runName";
// MLflow's SEARCH_MAX_RESULTS_THRESHOLD and default.
constexpr std::int64_t kSearchMax = 50'000;
constexpr std::int64_t kSearchDefault = 1000;

absl::StatusOr<Json> SetDeleted(const MlflowContext& context,
                                const Json& request,
                                bool is_deleted) {
  POTOK_ASSIGN_OR_RETURN(const std::string id, RunIdOf(request));
  TrackedWrite write;
  POTOK_ASSIGN_OR_RETURN(write.run, WritableRun(context, id));
  if (!write.run.is_child) {
    return absl::InvalidArgumentError(
        fmt::format("'{}' is the run of a step, which stays as long as the step", id));
  }
  write.is_deleted = is_deleted;
  POTOK_RETURN_IF_ERROR(context.writer.Write(std::move(write)));
  return Json::object();
}

// Pages are named by how many came before them.
absl::Status ReadPage(const Json& request, TrackedSearch* search) {
  POTOK_ASSIGN_OR_RETURN(search->limit, IntegerOf(request, "max_results", kSearchDefault));
  if (search->limit < 1 || search->limit > kSearchMax) {
    return absl::InvalidArgumentError(
        fmt::format("Invalid value {} for parameter 'max_results' supplied: it is 1 to {}",
                    search->limit,
                    kSearchMax));
  }
  POTOK_ASSIGN_OR_RETURN(const std::string token, OptionalTextOf(request, "page_token"));
  if (!token.empty() && (!absl::SimpleAtoi(token, &search->offset) || search->offset < 0)) {
    return absl::InvalidArgumentError(
        fmt::format("Invalid page token '{}': it is not one of this server", token));
  }
  return absl::OkStatus();
}

absl::Status ReadTexts(const Json& request, const char* name, std::vector<std::string>* texts) {
  POTOK_ASSIGN_OR_RETURN(const std::vector<Json> values, ObjectsOf(request, name));
  for (const Json& value : values) {
    if (!value.is_string()) {
      return absl::InvalidArgumentError(
          fmt::format("Invalid value for parameter '{}' supplied: it is a list of texts", name));
    }
    texts->push_back(value.get<std::string>());
  }
  return absl::OkStatus();
}

absl::StatusOr<TrackedSearch> SearchOf(const Json& request) {
  TrackedSearch search;
  POTOK_RETURN_IF_ERROR(ReadTexts(request, "experiment_ids", &search.experiments));
  POTOK_ASSIGN_OR_RETURN(const std::string filter, OptionalTextOf(request, "filter"));
  POTOK_ASSIGN_OR_RETURN(search.conditions, ParseFilter(filter));
  std::vector<std::string> orders;
  POTOK_RETURN_IF_ERROR(ReadTexts(request, "order_by", &orders));
  for (const std::string& order : orders) {
    POTOK_ASSIGN_OR_RETURN(search.order.emplace_back(), ParseOrder(order));
  }
  POTOK_ASSIGN_OR_RETURN(const std::string view, OptionalTextOf(request, "run_view_type"));
  search.with_deleted = view == "DELETED_ONLY" || view == "ALL";
  search.with_active = view != "DELETED_ONLY";
  POTOK_RETURN_IF_ERROR(ReadPage(request, &search));
  return search;
}

}  // namespace

absl::StatusOr<Json> CreateTrackedRun(const MlflowContext& context, const Json& request) {
  POTOK_ASSIGN_OR_RETURN(const StepClaim claim, StepOf(context));
  TrackedWrite write;
  write.run = OwnRun(claim);
  write.run.is_child = true;
  write.run.mlflow_id = RandomId(kRunIdCharacters);
  POTOK_ASSIGN_OR_RETURN(const std::string experiment, OptionalTextOf(request, "experiment_id"));
  // "0" is what MLflow calls the experiment that nobody named.
  if (!experiment.empty() && experiment != "0") write.run.experiment = experiment;
  POTOK_ASSIGN_OR_RETURN(write.run.user, OptionalTextOf(request, "user_id"));
  POTOK_ASSIGN_OR_RETURN(write.run.start_ms, IntegerOf(request, "start_time", NowMs()));
  POTOK_ASSIGN_OR_RETURN(write.run.name, OptionalTextOf(request, "run_name"));
  POTOK_ASSIGN_OR_RETURN(const std::vector<Json> tags, ObjectsOf(request, "tags"));
  for (const Json& tag : tags) {
    POTOK_ASSIGN_OR_RETURN(NameAndText read, TagOf(tag));
    if (read.name == kRunNameTag && write.run.name.empty()) write.run.name = read.text;
    write.tags.push_back(std::move(read));
  }
  if (write.run.name.empty()) write.run.name = claim.step + "-" + write.run.mlflow_id.substr(0, 6);
  std::erase_if(write.tags, [](const NameAndText& tag) { return tag.name == kRunNameTag; });
  write.tags.push_back({kRunNameTag, write.run.name});
  const std::string id = write.run.mlflow_id;
  POTOK_RETURN_IF_ERROR(context.writer.Write(std::move(write)));
  POTOK_ASSIGN_OR_RETURN(const TrackedRunData made, context.store.Get({id, claim.attempt}));
  return Json{{"run", RunJson(made)}};
}

absl::StatusOr<Json> GetTrackedRun(const MlflowContext& context, const Json& request) {
  POTOK_ASSIGN_OR_RETURN(const std::string id, RunIdOf(request));
  POTOK_ASSIGN_OR_RETURN(const TrackedRunData run, ReadableRun(context, id));
  return Json{{"run", RunJson(run)}};
}

absl::StatusOr<Json> UpdateTrackedRun(const MlflowContext& context, const Json& request) {
  POTOK_ASSIGN_OR_RETURN(const std::string id, RunIdOf(request));
  TrackedWrite write;
  POTOK_ASSIGN_OR_RETURN(write.run, WritableRun(context, id));
  const TrackedId tracked{id, write.run.attempt};
  if (const auto status = request.find("status"); status != request.end()) {
    POTOK_ASSIGN_OR_RETURN(write.status, RunStatusOf(*status));
    // A program that goes on with a run that had ended opens it again.
    if (*write.status == TrackedStatus::kRunning) write.end_ms = 0;
  }
  if (request.contains("end_time")) {
    POTOK_ASSIGN_OR_RETURN(write.end_ms, IntegerOf(request, "end_time", 0));
  }
  POTOK_ASSIGN_OR_RETURN(const std::string name, OptionalTextOf(request, "run_name"));
  if (!name.empty()) {
    write.name = name;
    write.tags.push_back({kRunNameTag, name});
  }
  POTOK_RETURN_IF_ERROR(context.writer.Write(std::move(write)));
  POTOK_ASSIGN_OR_RETURN(const TrackedRunData updated, context.store.Get(tracked));
  return Json{{"run_info", RunInfoJson(updated.run)}};
}

absl::StatusOr<Json> DeleteTrackedRun(const MlflowContext& context, const Json& request) {
  return SetDeleted(context, request, true);
}

absl::StatusOr<Json> RestoreTrackedRun(const MlflowContext& context, const Json& request) {
  return SetDeleted(context, request, false);
}

absl::StatusOr<Json> SearchTrackedRuns(const MlflowContext& context, const Json& request) {
  POTOK_ASSIGN_OR_RETURN(TrackedSearch search, SearchOf(request));
  const std::int64_t wanted = search.limit++;  // one more tells whether there is a next page
  POTOK_ASSIGN_OR_RETURN(const std::vector<TrackedRunData> found, context.store.Search(search));
  Json runs = Json::array();
  for (const TrackedRunData& run : found) {
    if (std::cmp_equal(runs.size(), wanted)) break;
    runs.push_back(RunJson(run));
  }
  Json answer = {{"runs", std::move(runs)}};
  if (std::cmp_greater(found.size(), wanted)) {
    answer["next_page_token"] = std::to_string(search.offset + wanted);
  }
  return answer;
}

}  // namespace potok::server
