#include "server/tracking/mlflow_message.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <limits>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::server {

namespace {

// mlflow/utils/validation.py.
constexpr std::size_t kNameCharactersMax = 250;
constexpr std::size_t kParamCharactersMax = 6000;
constexpr std::size_t kTagCharactersMax = 8000;
// Ours: no call nests more than a few levels.
constexpr int kDepthMax = 32;

absl::Status Wrong(const std::string& message) {
  return absl::InvalidArgumentError(message);
}

bool HasZeros(const Json& value) {
  if (value.is_string()) return value.get_ref<const std::string&>().find('\0') != std::string::npos;
  if (!value.is_structured()) return false;
  for (const auto& [name, below] : value.items()) {
    if (name.find('\0') != std::string::npos || HasZeros(below)) return true;
  }
  return false;
}

// How many bytes the first `characters` characters of UTF-8 take.
std::size_t BytesOfCharacters(const std::string& text, std::size_t characters) {
  std::size_t at = 0;
  while (at < text.size()) {
    const bool begins = (static_cast<unsigned char>(text[at]) & 0xC0U) != 0x80U;
    if (begins && characters-- == 0) return at;
    ++at;
  }
  return at;
}

bool IsNameCharacter(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || std::isalnum(byte) != 0 ||
         std::string("_/.- :").find(c) != std::string::npos;
}

// Names are paths, too, where MLflow keeps files.
bool IsPlainPath(const std::string& name) {
  for (const std::string& part : std::vector<std::string>(absl::StrSplit(name, '/'))) {
    if (part.empty() || part == "." || part == "..") return false;
  }
  return true;
}

absl::StatusOr<std::string> NameFrom(const Json& object, const char* what) {
  if (!object.is_object()) return Wrong(fmt::format("A {} is an object with a key", what));
  POTOK_ASSIGN_OR_RETURN(std::string name, TextOf(object, "key"));
  if (!std::ranges::all_of(name, IsNameCharacter)) {
    return Wrong(
        fmt::format("Invalid {} name: '{}'. Names may only contain alphanumerics, underscores (_), "
                    "dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).",
                    what,
                    name));
  }
  if (!IsPlainPath(name)) {
    return Wrong(
        fmt::format("Invalid {} name: '{}'. Names may be treated as files in certain cases, and "
                    "must not resolve to other names when treated as such.",
                    what,
                    name));
  }
  if (BytesOfCharacters(name, kNameCharactersMax) < name.size()) {
    return Wrong(fmt::format("{} name exceeds the maximum length of {} characters: '{}'",
                             what,
                             kNameCharactersMax,
                             name));
  }
  return name;
}

// Texts may come as numbers and truth values from programs that speak JSON by themselves.
absl::StatusOr<std::string> ValueText(const Json& object, std::size_t characters_max) {
  const auto value = object.find("value");
  std::string text;
  if (value != object.end() && !value->is_null()) {
    text = value->is_string() ? value->get<std::string>() : value->dump();
  }
  text.resize(BytesOfCharacters(text, characters_max));
  return text;
}

absl::StatusOr<double> NumberFrom(const Json& value, const std::string& name) {
  double number = 0;
  if (value.is_number()) return value.get<double>();
  // "NaN", "Infinity", "-Infinity" and numbers as texts.
  if (value.is_string() && absl::SimpleAtod(value.get<std::string>(), &number)) return number;
  return Wrong(fmt::format(
      "Got invalid value {} for metric '{}'. Please specify value as a valid double (64-bit "
      "floating point)",
      value.dump(),
      name));
}

Json NumberJson(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
  return number;
}

Json PairsJson(const std::vector<NameAndText>& pairs) {
  Json out = Json::array();
  for (const NameAndText& pair : pairs) {
    if (IsHiddenTag(pair.name)) continue;
    out.push_back({{"key", pair.name}, {"value", pair.text}});
  }
  return out;
}

// What an own tag holds; nothing if it is not there.
Json HiddenJson(const std::vector<NameAndText>& tags, const char* name) {
  const auto tag = std::ranges::find(tags, name, &NameAndText::name);
  if (tag == tags.end()) return Json::object();
  Json value = Json::parse(tag->text, nullptr, /*allow_exceptions=*/false);
  return value.is_object() ? value : Json::object();
}

struct Code {
  absl::StatusCode code;
  int http;
  const char* name;
};
// databricks.proto, ErrorCode. MLflow's clients try 429, 500, 502, 503 and 504 again.
constexpr Code kCodes[] = {
    {absl::StatusCode::kInvalidArgument, 400, "INVALID_PARAMETER_VALUE"},
    {absl::StatusCode::kOutOfRange, 400, "INVALID_PARAMETER_VALUE"},
    {absl::StatusCode::kNotFound, 404, "RESOURCE_DOES_NOT_EXIST"},
    {absl::StatusCode::kAlreadyExists, 400, "RESOURCE_ALREADY_EXISTS"},
    {absl::StatusCode::kPermissionDenied, 403, "PERMISSION_DENIED"},
    {absl::StatusCode::kUnauthenticated, 401, "UNAUTHENTICATED"},
    {absl::StatusCode::kUnimplemented, 404, "ENDPOINT_NOT_FOUND"},
    {absl::StatusCode::kFailedPrecondition, 400, "INVALID_STATE"},
    {absl::StatusCode::kResourceExhausted, 507, "RESOURCE_LIMIT_EXCEEDED"},
    {absl::StatusCode::kUnavailable, 503, "TEMPORARILY_UNAVAILABLE"},
};
constexpr Code kInternal = {absl::StatusCode::kInternal, 500, "INTERNAL_ERROR"};

const Code& CodeOf(const absl::Status& status) {
  const auto* const found = std::ranges::find(kCodes, status.code(), &Code::code);
  return found == std::end(kCodes) ? kInternal : *found;
}

}  // namespace

absl::StatusOr<Json> ParseObject(const std::string& body) {
  if (body.empty()) return Json::object();
  bool is_deep = false;
  const auto look = [&is_deep](int depth, Json::parse_event_t /*event*/, Json& /*parsed*/) {
    is_deep = is_deep || depth > kDepthMax;
    return depth <= kDepthMax;
  };
  // What is wrong, as text that is no UTF-8, gives a value that is discarded.
  const Json request = Json::parse(body, look, /*allow_exceptions=*/false);
  if (is_deep || !request.is_object()) return Wrong("The request is not a JSON object");
  if (HasZeros(request)) return Wrong("Texts with zero bytes (\\u0000) cannot be stored");
  return request;
}

absl::StatusOr<std::string> OptionalTextOf(const Json& request, const char* name) {
  const auto value = request.find(name);
  if (value == request.end() || value->is_null()) return std::string();
  if (value->is_string()) return value->get<std::string>();
  if (value->is_number_integer()) return value->dump();  // experiment ids, by hand
  return Wrong(fmt::format("Invalid value {} for parameter '{}' supplied: it is a text",
                           value->dump().substr(0, 100),
                           name));
}

absl::StatusOr<std::string> TextOf(const Json& request, const char* name) {
  POTOK_ASSIGN_OR_RETURN(std::string text, OptionalTextOf(request, name));
  if (!text.empty()) return text;
  return Wrong(fmt::format("Missing value for required parameter '{}'.", name));
}

absl::StatusOr<std::int64_t> IntegerOf(const Json& request,
                                       const char* name,
                                       std::int64_t otherwise) {
  const auto value = request.find(name);
  if (value == request.end() || value->is_null()) return otherwise;
  std::int64_t number = 0;
  if (value->is_number_unsigned() &&
      value->get<std::uint64_t>() >
          static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return Wrong(fmt::format(
        "Invalid value {} for parameter '{}' supplied: it is too large", value->dump(), name));
  }
  if (value->is_number_integer()) return value->get<std::int64_t>();
  if (value->is_string() && absl::SimpleAtoi(value->get<std::string>(), &number)) return number;
  return Wrong(fmt::format("Invalid value {} for parameter '{}' supplied: it is an integer",
                           value->dump().substr(0, 100),
                           name));
}

absl::StatusOr<std::string> RunIdOf(const Json& request) {
  POTOK_ASSIGN_OR_RETURN(std::string id, OptionalTextOf(request, "run_id"));
  if (!id.empty()) return id;
  POTOK_ASSIGN_OR_RETURN(id, OptionalTextOf(request, "run_uuid"));
  if (!id.empty()) return id;
  return Wrong("Missing value for required parameter 'run_id'.");
}

absl::StatusOr<std::vector<Json>> ObjectsOf(const Json& request, const char* name) {
  const auto value = request.find(name);
  if (value == request.end() || value->is_null()) return std::vector<Json>();
  if (!value->is_array()) {
    return Wrong(fmt::format("Invalid value for parameter '{}' supplied: it is a list", name));
  }
  return std::vector<Json>(value->begin(), value->end());
}

absl::StatusOr<MetricValue> MetricOf(const Json& metric) {
  MetricValue out;
  POTOK_ASSIGN_OR_RETURN(out.name, NameFrom(metric, "metric"));
  const auto value = metric.find("value");
  if (value == metric.end() || value->is_null()) {
    return Wrong("Missing value for required parameter 'value'.");
  }
  POTOK_ASSIGN_OR_RETURN(out.value, NumberFrom(*value, out.name));
  POTOK_ASSIGN_OR_RETURN(out.timestamp_ms, IntegerOf(metric, "timestamp", -1));
  if (out.timestamp_ms < 0) {
    return Wrong(fmt::format(
        "Got invalid timestamp for metric '{}'. Timestamp must be a nonnegative long (64-bit "
        "integer), milliseconds since 1970",
        out.name));
  }
  POTOK_ASSIGN_OR_RETURN(out.step, IntegerOf(metric, "step", 0));
  return out;
}

absl::StatusOr<NameAndText> ParamOf(const Json& param) {
  NameAndText out;
  POTOK_ASSIGN_OR_RETURN(out.name, NameFrom(param, "param"));
  POTOK_ASSIGN_OR_RETURN(out.text, ValueText(param, kParamCharactersMax));
  return out;
}

absl::StatusOr<NameAndText> TagOf(const Json& tag) {
  NameAndText out;
  POTOK_ASSIGN_OR_RETURN(out.name, NameFrom(tag, "tag"));
  POTOK_ASSIGN_OR_RETURN(out.text, ValueText(tag, kTagCharactersMax));
  return out;
}

absl::StatusOr<TrackedStatus> RunStatusOf(const Json& status) {
  for (int number = 1; number <= 5; ++number) {
    const auto known = static_cast<TrackedStatus>(number);
    if (status == Json(number) || status == Json(NameOf(known))) return known;
  }
  return Wrong(fmt::format(
      "Invalid status {}: it is RUNNING, SCHEDULED, FINISHED, FAILED or KILLED", status.dump()));
}

Json MetricJson(const MetricValue& metric) {
  return {{"key", metric.name},
          {"value", NumberJson(metric.value)},
          {"timestamp", metric.timestamp_ms},
          {"step", metric.step}};
}

std::string ArtifactUriOf(const std::string& holder) {
  return "mlflow-artifacts:/" + holder;
}

Json RunInfoJson(const TrackedRun& run) {
  Json info = {{"run_id", run.mlflow_id},
               {"run_uuid", run.mlflow_id},
               {"run_name", run.name},
               {"experiment_id", run.experiment},
               {"user_id", run.user},
               {"status", NameOf(run.status)},
               {"start_time", run.start_ms},
               {"artifact_uri", ArtifactUriOf(HolderOf(run))},
               {"lifecycle_stage", run.is_deleted ? "deleted" : "active"}};
  if (run.end_ms != 0) info["end_time"] = run.end_ms;
  return info;
}

Json RunJson(const TrackedRunData& data) {
  Json metrics = Json::array();
  for (const MetricSummary& metric : data.metrics) metrics.push_back(MetricJson(metric.latest));
  Json run = {{"info", RunInfoJson(data.run)},
              {"data",
               {{"metrics", std::move(metrics)},
                {"params", PairsJson(data.params)},
                {"tags", PairsJson(data.tags)}}}};
  run["inputs"] = HiddenJson(data.tags, kInputsTag);
  run["outputs"] = HiddenJson(data.tags, kOutputsTag);
  return run;
}

Json ExperimentJson(const std::string& name) {
  return {{"experiment_id", name},
          {"name", name},
          {"artifact_location", "mlflow-artifacts:/"},
          {"lifecycle_stage", "active"}};
}

std::string ErrorText(const absl::Status& status) {
  const Json error = {{"error_code", CodeOf(status).name},
                      {"message", std::string(status.message())}};
  return error.dump(-1, ' ', false, Json::error_handler_t::replace);
}

int HttpStatusOfMlflow(const absl::Status& status) {
  return CodeOf(status).http;
}

}  // namespace potok::server
