#include "server/store/postgres/tracking_search.h"

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "fmt/format.h"

namespace potok::server {

const char kSelectTracked[] =
    "SELECT t.id, t.mlflow_id, t.run, t.index, t.attempt, t.is_child, t.run_name, t.step_name, "
    "t.name, t.experiment, t.user_name, t.status, t.is_deleted, t.start_ms, t.end_ms "
    "FROM tracked_runs t";

namespace {

using Of = TrackedCondition::Of;

// Whoever asks for statuses asks by their names.
constexpr char kStatusName[] =
    "(ARRAY['RUNNING','SCHEDULED','FINISHED','FAILED','KILLED'])[t.status]";

// MLflow's names of attributes, and what they are here (search_utils, VALID_SEARCH_ATTRIBUTE_KEYS).
struct Attribute {
  std::string column;
  bool is_number;
};
const Attribute* AttributeOf(const std::string& name) {
  static const std::map<std::string, Attribute> kAttributes = {
      {"run_id", {"t.mlflow_id", false}},
      {"run_name", {"t.name", false}},
      {"status", {kStatusName, false}},
      {"user_id", {"t.user_name", false}},
      {"artifact_uri", {"''", false}},
      {"experiment_id", {"t.experiment", false}},
      {"start_time", {"t.start_ms", true}},
      {"end_time", {"t.end_ms", true}},
      {"created", {"t.start_ms", true}}};
  const auto found = kAttributes.find(name);
  return found == kAttributes.end() ? nullptr : &found->second;
}

// "$3::text".
std::string Text(const std::string& text, PgParams* params) {
  params->Bytes(text);
  return fmt::format("${}::text", params->count());
}

std::string Number(double number, PgParams* params) {
  params->Double(number);
  return fmt::format("${}::double precision", params->count());
}

// "= $3::text" and the like. Comparators are checked by whoever made the condition.
std::string Compared(const TrackedCondition& condition, bool is_number, PgParams* params) {
  if (is_number) return condition.comparator + " " + Number(condition.number, params);
  if (condition.comparator == "IN" || condition.comparator == "NOT IN") {
    params->Texts(condition.texts);
    return fmt::format(
        "{} (${}::text[])", condition.comparator == "IN" ? "= ANY" : "<> ALL", params->count());
  }
  return condition.comparator + " " + Text(condition.texts.front(), params);
}

const char* TableOf(Of of) {
  switch (of) {
    case Of::kMetric:
      return "latest_metrics";
    case Of::kParam:
      return "params";
    default:
      return "tracking_tags";
  }
}

std::string ConditionSql(const TrackedCondition& condition, PgParams* params) {
  if (condition.of == Of::kAttribute) {
    const Attribute* attribute = AttributeOf(condition.name);
    if (attribute == nullptr) return "false";
    return attribute->column + " " + Compared(condition, attribute->is_number, params);
  }
  const std::string name = Text(condition.name, params);
  return fmt::format(
      "EXISTS (SELECT 1 FROM {} x WHERE x.tracked = t.id AND x.key = {} AND x.value {})",
      TableOf(condition.of),
      name,
      Compared(condition, condition.of == Of::kMetric, params));
}

// Those that have no such value come last, as in MLflow.
std::string OrderSql(const TrackedOrder& order, PgParams* params) {
  const char* direction = order.ascending ? "ASC NULLS LAST" : "DESC NULLS LAST";
  if (order.of == Of::kAttribute) {
    const Attribute* attribute = AttributeOf(order.name);
    return fmt::format("{} {}", attribute == nullptr ? "t.id" : attribute->column, direction);
  }
  return fmt::format("(SELECT x.value FROM {} x WHERE x.tracked = t.id AND x.key = {}) {}",
                     TableOf(order.of),
                     Text(order.name, params),
                     direction);
}

}  // namespace

Statement SearchStatement(const TrackedSearch& search, PgParams* params) {
  params->Texts(search.experiments);
  std::vector<std::string> conditions = {
      fmt::format("t.experiment = ANY (${}::text[])", params->count())};
  if (!search.with_deleted) conditions.emplace_back("NOT t.is_deleted");
  if (!search.with_active) conditions.emplace_back("t.is_deleted");
  // Only the last attempt of each: earlier ones are how it came to that.
  conditions.emplace_back(
      "NOT EXISTS (SELECT 1 FROM tracked_runs later WHERE later.mlflow_id = t.mlflow_id "
      "AND later.run = t.run AND later.index = t.index AND later.attempt > t.attempt)");
  for (const TrackedCondition& condition : search.conditions) {
    conditions.push_back(ConditionSql(condition, params));
  }
  std::vector<std::string> order;
  for (const TrackedOrder& by : search.order) order.push_back(OrderSql(by, params));
  order.emplace_back("t.start_ms DESC");
  order.emplace_back("t.id DESC");
  params->Int64(search.limit).Int64(search.offset);
  return {"search tracked runs",
          fmt::format("{} WHERE {} ORDER BY {} LIMIT ${}::bigint OFFSET ${}::bigint",
                      kSelectTracked,
                      absl::StrJoin(conditions, " AND "),
                      absl::StrJoin(order, ", "),
                      params->count() - 1,
                      params->count()),
          /*prepared=*/false};
}

}  // namespace potok::server
