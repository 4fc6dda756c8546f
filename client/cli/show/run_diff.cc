#include "client/cli/show/run_diff.h"

#include <algorithm>
#include <map>
#include <utility>

#include "client/cli/show/message_fields.h"
#include "client/potok_client/run_state.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

// A step of one run: what was asked for, and what came of it. Null: there is none.
struct Side {
  const v1::Step* spec = nullptr;
  const v1::StepStatus* status = nullptr;
};

std::map<std::string, Side> SidesOf(const v1::Run& run) {
  std::map<std::string, Side> sides;
  for (const v1::Step& step : run.spec().steps()) sides[step.name()].spec = &step;
  for (const v1::StepStatus& step : run.steps()) sides[step.name()].status = &step;
  return sides;
}

double SecondsOf(const v1::StepStatus* step) {
  if (step == nullptr || step->started_us() == 0 || step->ended_us() == 0) return 0;
  return static_cast<double>(step->ended_us() - step->started_us()) / 1e6;
}

std::string ValueText(const v1::OutputValue& value) {
  if (value.value_case() == v1::OutputValue::kText) return value.text();
  if (!value.has_artifact()) return "";
  return fmt::format(
      "sha256:{}/{}", value.artifact().digest().hash(), value.artifact().digest().size_bytes());
}

template <class Values>
std::map<std::string, const v1::OutputValue*> ByName(const Values& values) {
  std::map<std::string, const v1::OutputValue*> by_name;
  for (const v1::OutputValue& value : values) by_name[value.name()] = &value;
  return by_name;
}

std::vector<Difference> OutputsThatDiffer(const v1::StepStatus& a,
                                          const v1::StepStatus& b,
                                          const FilesThatDiffer& files) {
  const auto of_a = ByName(a.outputs());
  const auto of_b = ByName(b.outputs());
  std::vector<Difference> differences;
  for (const auto& [name, value] : of_a) {
    const auto other = of_b.find(name);
    const std::string text = ValueText(*value);
    const std::string other_text = other == of_b.end() ? "" : ValueText(*other->second);
    if (text == other_text) continue;
    differences.push_back({name, text, other_text});
    const bool are_folders = other != of_b.end() && value->artifact().is_folder() &&
                             other->second->artifact().is_folder();
    if (!are_folders || files == nullptr) continue;
    for (Difference& file : files(value->artifact(), other->second->artifact())) {
      file.field = name + "/" + file.field;
      differences.push_back(std::move(file));
    }
  }
  for (const auto& [name, value] : of_b) {
    if (!of_a.contains(name)) differences.push_back({name, "", ValueText(*value)});
  }
  return differences;
}

void Add(const char* field, std::string a, std::string b, std::vector<Difference>* differences) {
  if (a != b) differences->push_back({field, std::move(a), std::move(b)});
}

std::vector<Difference> ResultsThatDiffer(const v1::StepStatus& a, const v1::StepStatus& b) {
  std::vector<Difference> differences;
  Add("status", NameOf(a.status()), NameOf(b.status()), &differences);
  Add("reason", a.reason(), b.reason(), &differences);
  const auto code = [](const v1::StepStatus& step) {
    return step.has_exit_code() ? std::to_string(step.exit_code()) : "";
  };
  Add("exit_code", code(a), code(b), &differences);
  // One that was reused made no attempt; that it was reused says so.
  if (a.reused_from().empty() == b.reused_from().empty()) {
    Add("attempt", std::to_string(a.attempt()), std::to_string(b.attempt()), &differences);
  }
  Add("reused_from", a.reused_from(), b.reused_from(), &differences);
  return differences;
}

StepDifference DiffOfStep(const std::string& name,
                          const Side& a,
                          const Side& b,
                          const FilesThatDiffer& files) {
  StepDifference difference;
  difference.name = name;
  const bool in_a = a.spec != nullptr || a.status != nullptr;
  const bool in_b = b.spec != nullptr || b.status != nullptr;
  if (!in_b) difference.in = StepDifference::In::kOnlyA;
  if (!in_a) difference.in = StepDifference::In::kOnlyB;
  if (a.status != nullptr) difference.status_a = NameOf(a.status->status());
  if (b.status != nullptr) difference.status_b = NameOf(b.status->status());
  difference.seconds_a = SecondsOf(a.status);
  difference.seconds_b = SecondsOf(b.status);
  if (a.spec != nullptr && b.spec != nullptr) {
    difference.definition = Compare(FieldsOf(*a.spec), FieldsOf(*b.spec));
  }
  if (a.status != nullptr && b.status != nullptr) {
    difference.results = ResultsThatDiffer(*a.status, *b.status);
    difference.outputs = OutputsThatDiffer(*a.status, *b.status, files);
  }
  return difference;
}

// The spec without its steps, and without what is a run's own.
v1::PipelineSpec Head(const v1::Run& run) {
  v1::PipelineSpec spec;
  spec.set_is_pipeline(run.spec().is_pipeline());
  *spec.mutable_inputs() = run.spec().inputs();
  *spec.mutable_outputs() = run.spec().outputs();
  *spec.mutable_settings() = run.spec().settings();
  spec.set_experiment_name(run.experiment_name());
  spec.set_display_name(run.display_name());
  spec.set_description(run.description());
  *spec.mutable_tags() = run.tags();
  return spec;
}

Value DifferencesObject(const std::vector<Difference>& differences) {
  Array items;
  for (const Difference& difference : differences) {
    items.emplace_back(
        Object{{"field", difference.field}, {"a", difference.a}, {"b", difference.b}});
  }
  return Value(std::move(items));
}

const char* WhereOf(StepDifference::In in) {
  if (in == StepDifference::In::kBoth) return "both";
  return in == StepDifference::In::kOnlyA ? "a" : "b";
}

void AddRows(const std::string& name,
             const char* what,
             const std::vector<Difference>& differences,
             std::vector<std::vector<std::string>>* rows) {
  for (const Difference& difference : differences) {
    rows->push_back({name, what, difference.field, difference.a, difference.b});
  }
}

std::string SecondsText(double seconds) {
  return seconds == 0 ? "" : ShortDuration(absl::Seconds(seconds));
}

}  // namespace

bool RunDifference::IsSame() const {
  return definition.empty() && std::ranges::all_of(steps, [](const StepDifference& step) {
           return step.in == StepDifference::In::kBoth && step.definition.empty() &&
                  step.outputs.empty() && step.status_a == step.status_b;
         });
}

RunDifference Diff(const v1::Run& a, const v1::Run& b, const FilesThatDiffer& files) {
  RunDifference difference;
  difference.definition = Compare(FieldsOf(Head(a)), FieldsOf(Head(b)));
  Add("status", NameOf(a.status()), NameOf(b.status()), &difference.results);
  Add("reason", a.reason(), b.reason(), &difference.results);
  const std::map<std::string, Side> of_a = SidesOf(a);
  const std::map<std::string, Side> of_b = SidesOf(b);
  for (const v1::StepStatus& step : a.steps()) {
    const auto other = of_b.find(step.name());
    difference.steps.push_back(DiffOfStep(
        step.name(), of_a.at(step.name()), other == of_b.end() ? Side() : other->second, files));
  }
  for (const v1::StepStatus& step : b.steps()) {
    if (of_a.contains(step.name())) continue;
    difference.steps.push_back(DiffOfStep(step.name(), Side(), of_b.at(step.name()), files));
  }
  return difference;
}

void AddMetrics(const LoggedValues& a, const LoggedValues& b, RunDifference* difference) {
  static const std::map<std::string, std::string> kNone;
  for (StepDifference& step : difference->steps) {
    const auto of_a = a.find(step.name);
    const auto of_b = b.find(step.name);
    step.metrics =
        Compare(of_a == a.end() ? kNone : of_a->second, of_b == b.end() ? kNone : of_b->second);
  }
}

Value DiffObject(const v1::Run& a, const v1::Run& b, const RunDifference& difference) {
  Array steps;
  for (const StepDifference& step : difference.steps) {
    steps.emplace_back(Object{{"name", step.name},
                              {"in", WhereOf(step.in)},
                              {"definition", DifferencesObject(step.definition)},
                              {"results", DifferencesObject(step.results)},
                              {"outputs", DifferencesObject(step.outputs)},
                              {"metrics", DifferencesObject(step.metrics)},
                              {"status", Object{{"a", step.status_a}, {"b", step.status_b}}},
                              {"seconds", Object{{"a", step.seconds_a}, {"b", step.seconds_b}}}});
  }
  return Value(Object{{"a", a.name()},
                      {"b", b.name()},
                      {"same", difference.IsSame()},
                      {"definition", DifferencesObject(difference.definition)},
                      {"results", DifferencesObject(difference.results)},
                      {"steps", std::move(steps)}});
}

std::string DiffText(const v1::Run& a,
                     const v1::Run& b,
                     const RunDifference& difference,
                     const TableStyle& style) {
  std::vector<std::vector<std::string>> rows;
  AddRows("", "definition", difference.definition, &rows);
  AddRows("", "result", difference.results, &rows);
  std::vector<std::vector<std::string>> times;
  for (const StepDifference& step : difference.steps) {
    if (step.in != StepDifference::In::kBoth) {
      const bool in_a = step.in == StepDifference::In::kOnlyA;
      rows.push_back({step.name, "step", "", in_a ? "is there" : "", in_a ? "" : "is there"});
    }
    AddRows(step.name, "definition", step.definition, &rows);
    AddRows(step.name, "result", step.results, &rows);
    AddRows(step.name, "output", step.outputs, &rows);
    AddRows(step.name, "logged", step.metrics, &rows);
    times.push_back({step.name,
                     step.status_a,
                     step.status_b,
                     SecondsText(step.seconds_a),
                     SecondsText(step.seconds_b)});
  }
  std::string text = rows.empty() ? fmt::format("{} and {} do not differ\n", a.name(), b.name())
                                  : Table({"STEP", "WHAT", "FIELD", "A", "B"}, rows, style);
  if (!times.empty()) {
    text += "\n" + Table({"STEP", "STATE A", "STATE B", "TIME A", "TIME B"}, times, style);
  }
  return text;
}

}  // namespace potok::client
