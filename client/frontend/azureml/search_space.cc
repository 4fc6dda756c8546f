#include "client/frontend/azureml/search_space.h"

#include <algorithm>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "client/frontend/azureml/policy.h"
#include "client/frontend/azureml/port_fields.h"
#include "client/frontend/azureml/scalar.h"
#include "client/frontend/azureml/yaml_json.h"
#include "fmt/format.h"

namespace potok::client {

namespace {

constexpr std::int64_t kCountMax = 1'000'000;
constexpr std::int32_t kTrialsDefault = 1000;  // Azure ML's reference of the sweep job
constexpr double kTimeoutMax = std::numeric_limits<std::int32_t>::max();
constexpr const char* kSpaceNumbers[] = {"upper", "min_value", "max_value", "mu", "sigma", "q"};

std::optional<double> ReadDouble(Fields* fields, const std::string& key, Reading* reading) {
  const YamlNode* scalar = fields->Scalar(key);
  if (scalar == nullptr) return std::nullopt;
  const std::string text =
      HasExpression(scalar->text) ? fields->Text(key) : TextFor(*scalar, ValueType::kNumber);
  double number = 0;
  if (absl::SimpleAtod(text, &number)) return number;
  reading->reporter.Error(
      scalar->at, fmt::format("{}: {} must be a number, but is '{}'", fields->what(), key, text));
  return std::nullopt;
}

void SetCount(Fields* fields, const char* key, std::int64_t min, std::int32_t* count) {
  if (const auto value = fields->Whole(key, min, kCountMax)) {
    *count = static_cast<std::int32_t>(*value);
  }
}

void SetSeconds(Fields* fields, const char* key, Reading* reading, std::int64_t* seconds) {
  if (const auto value = ReadDuration(fields, key, 1, kTimeoutMax, reading)) {
    *seconds = static_cast<std::int64_t>(*value);
  }
}

void ReadSampling(Fields* outer, Reading* reading, Sweep* sweep) {
  sweep->algorithm = "random";
  const YamlNode* value = outer->Value("sampling_algorithm");
  if (value == nullptr) return;
  if (value->IsScalar()) {
    sweep->algorithm = outer->Word("sampling_algorithm");
    return;
  }
  Fields fields(
      value, outer->what() + ": sampling_algorithm", &reading->reporter, ResolverOf(reading));
  sweep->algorithm = fields.Word("type");
  sweep->rule = fields.Word("rule");
  sweep->seed = fields.Whole(
      "seed", std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max());
  constexpr double kE = 2.718281828459045;
  if (fields.Word("logbase") == "e") {
    sweep->logbase = kE;
  } else {
    sweep->logbase = ReadDouble(&fields, "logbase", reading);
  }
  fields.ReportUnknown(Severity::kError);
}

void ReadObjective(Fields* outer, Reading* reading, Sweep* sweep) {
  const YamlNode* map = outer->Map("objective");
  if (map == nullptr) {
    if (outer->Value("objective") == nullptr) {
      reading->reporter.Error(
          outer->map()->at,
          fmt::format("{} has no objective; write its goal (minimize or maximize) and its "
                      "primary_metric",
                      outer->what()));
    }
    return;
  }
  Fields fields(map, outer->what() + ": objective", &reading->reporter, ResolverOf(reading));
  const std::string goal = fields.Word("goal");
  sweep->maximize = goal == "maximize";
  if (goal != "maximize" && goal != "minimize") {
    reading->reporter.Error(fields.At("goal"),
                            fmt::format("{}: goal must be minimize or maximize", fields.what()));
  }
  sweep->primary_metric = fields.Text("primary_metric");
  fields.ReportUnknown(Severity::kError);
}

void ReadSweepLimits(Fields* outer, Reading* reading, Sweep* sweep) {
  sweep->max_total_trials = kTrialsDefault;
  Fields fields(
      outer->Map("limits"), outer->what() + ": limits", &reading->reporter, ResolverOf(reading));
  SetCount(&fields, "max_total_trials", 1, &sweep->max_total_trials);
  SetCount(&fields, "max_concurrent_trials", 1, &sweep->max_concurrent_trials);
  SetSeconds(&fields, "timeout", reading, &sweep->timeout_seconds);
  SetSeconds(&fields, "trial_timeout", reading, &sweep->trial_timeout_seconds);
  fields.ReportUnknown(Severity::kError);
}

void ReadEarlyTermination(Fields* outer, Reading* reading, EarlyTermination* early) {
  const YamlNode* map = outer->Map("early_termination");
  if (map == nullptr) return;
  Fields fields(
      map, outer->what() + ": early_termination", &reading->reporter, ResolverOf(reading));
  early->policy = fields.Word("type");
  if (early->policy.empty()) {
    reading->reporter.Error(
        map->at,
        fmt::format("{} has no type; write bandit, median_stopping or truncation_selection",
                    fields.what()));
  }
  early->slack_factor = ReadDouble(&fields, "slack_factor", reading).value_or(0);
  early->slack_amount = ReadDouble(&fields, "slack_amount", reading).value_or(0);
  SetCount(&fields, "truncation_percentage", 1, &early->truncation_percentage);
  early->exclude_finished_jobs = fields.Flag("exclude_finished_jobs").value_or(false);
  // 0, Azure ML's default in one of its two references, means each interval too.
  SetCount(&fields, "evaluation_interval", 0, &early->evaluation_interval);
  early->evaluation_interval = std::max(early->evaluation_interval, 1);
  SetCount(&fields, "delay_evaluation", 0, &early->delay_evaluation);
  fields.ReportUnknown(Severity::kError);
}

void ReadSpace(Fields* outer, Reading* reading, Sweep* sweep) {
  const YamlNode* space = outer->Map("search_space");
  if (space == nullptr) return;
  for (const YamlEntry& entry : space->entries) {
    Fields fields(entry.value,
                  fmt::format("{}: search_space.{}", outer->what(), entry.key),
                  &reading->reporter,
                  ResolverOf(reading));
    SearchParameter parameter;
    parameter.name = entry.key;
    parameter.type = fields.Word("type");
    for (const char* key : kSpaceNumbers) {
      if (const auto number = ReadDouble(&fields, key, reading)) parameter.numbers[key] = *number;
    }
    fields.List("values");
    fields.ReportUnknown(Severity::kError);
    sweep->space.push_back(std::move(parameter));
  }
}

// The type of all values of a choice.
ValueType TypeOfChoices(const YamlNode& values) {
  std::set<ValueType> types;
  for (const YamlNode* value : values.items) {
    types.insert(value->IsScalar() ? ResolveScalar(*value).type : ValueType::kString);
  }
  if (types.size() == 1) return *types.begin();
  const bool numbers = types == std::set<ValueType>{ValueType::kInteger, ValueType::kNumber};
  return numbers ? ValueType::kNumber : ValueType::kString;
}

const YamlNode* ValuesOf(Fields* fields, const std::string& parameter) {
  const YamlNode* space = fields->map()->Find("search_space")->value;
  const YamlEntry* values = space->Find(parameter)->value->Find("values");
  return values != nullptr && values->value->IsList() ? values->value : nullptr;
}

}  // namespace

void ReadSearch(Fields* fields, Reading* reading, Sweep* sweep) {
  ReadSpace(fields, reading, sweep);
  ReadSampling(fields, reading, sweep);
  ReadObjective(fields, reading, sweep);
  ReadSweepLimits(fields, reading, sweep);
  ReadEarlyTermination(fields, reading, &sweep->early_termination);
}

void ReadSampledInputs(Fields* fields,
                       const std::function<bool(const std::string& name)>& may_add,
                       Reading* reading,
                       Sweep* sweep,
                       Step* step) {
  for (SearchParameter& parameter : sweep->space) {
    const YamlNode* values = ValuesOf(fields, parameter.name);
    auto input = std::ranges::find(step->inputs, parameter.name, &Input::name);
    if (input == step->inputs.end()) {
      if (!may_add(parameter.name)) continue;
      Input added;
      added.name = parameter.name;
      added.type = values != nullptr             ? TypeOfChoices(*values)
                   : parameter.type == "randint" ? ValueType::kInteger
                                                 : ValueType::kNumber;
      input = step->inputs.insert(step->inputs.end(), std::move(added));
    }
    if (values == nullptr) continue;
    for (const YamlNode* value : values->items) {
      if (value->IsNull()) {
        reading->reporter.Error(
            value->at,
            fmt::format("{}: search_space.{} has an empty value", fields->what(), parameter.name));
        continue;
      }
      parameter.values.push_back(value->IsScalar() ? Literal(*value, input->type).text
                                                   : JsonOfValues(*value));
    }
  }
}

}  // namespace potok::client
