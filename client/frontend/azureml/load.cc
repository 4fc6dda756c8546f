#include "client/frontend/azureml/load.h"

#include <algorithm>
#include <set>

#include "client/frontend/azureml/component_check.h"
#include "client/frontend/azureml/job_reader.h"
#include "client/frontend/azureml/override.h"
#include "client/frontend/azureml/reading.h"
#include "common/pipeline/control.h"
#include "common/pipeline/flatten.h"
#include "common/pipeline/template.h"
#include "common/pipeline/validate.h"

namespace potok::client {

namespace {

// True if `where`, or something that holds it, is broken already.
bool IsBroken(const Reading& reading, std::string where) {
  while (true) {
    if (reading.broken.contains(where)) return true;
    const std::size_t dot = where.rfind('.');
    if (dot == std::string::npos) return false;
    where.resize(dot);
  }
}

void AddProblem(const Problem& problem, Reading* reading) {
  const auto [place, is_exact] = reading->sources.Find(problem.where);
  if (IsBroken(*reading, problem.where) || reading->reporter.HasErrorAt(place)) return;
  reading->reporter.Report(
      problem.severity, place, is_exact ? problem.message : problem.where + ": " + problem.message);
}

// Whether `input` of a step is bound to the input `name` of the pipeline around it.
bool IsBoundTo(const Input& input, const std::string& name) {
  const auto* text = std::get_if<TextValue>(&input.value);
  const auto parts = ParseTemplate(text == nullptr ? "" : text->text, TemplatePlace::kBinding);
  if (!parts.ok()) return false;
  return std::ranges::any_of(*parts, [&name](const TemplatePart& part) {
    const auto* expression = std::get_if<Expression>(&part);
    return expression != nullptr && Spelled(*expression) == Spelled(ParentInput{name});
  });
}

// Which kinds of steps read an input of a pipeline.
struct InputReaders {
  bool is_opaque = false;
  bool is_run = false;
};

void FindReaders(const std::vector<Step>& steps, const std::string& name, InputReaders* readers) {
  for (const Step& step : steps) {
    const Control* control = step.control.get();
    for (const Input& input : step.inputs) {
      if (!IsBoundTo(input, name)) continue;
      if (control != nullptr && std::holds_alternative<Nested>(control->kind)) {
        FindReaders(control->body, input.name, readers);
      } else if (control != nullptr && std::holds_alternative<Opaque>(control->kind)) {
        readers->is_opaque = true;
      } else {
        readers->is_run = true;
      }
    }
  }
}

// Data that is not there is wrong unless only steps read it that are not run here.
void AddMissing(Reading* reading) {
  for (const MissingPath& missing : reading->missing) {
    InputReaders readers;
    FindReaders(reading->spec.steps, missing.input, &readers);
    const bool is_wrong = readers.is_run || !readers.is_opaque;
    reading->reporter.Report(
        is_wrong ? Severity::kError : Severity::kWarning, missing.at, missing.message);
    if (is_wrong) reading->broken.insert("inputs." + missing.input);
  }
}

// The required inputs that the job in `root` lists and gives no value.
std::set<std::string> AwaitedInputs(const YamlNode& root, const PipelineSpec& spec) {
  std::set<std::string> awaited;
  const YamlEntry* listed = root.IsMap() ? root.Find("inputs") : nullptr;
  if (listed == nullptr || !listed->value->IsMap()) return awaited;
  for (const Input& input : spec.inputs) {
    const bool has_value = !std::holds_alternative<std::monostate>(input.value);
    if (has_value || input.optional || listed->value->Find(input.name) == nullptr) continue;
    awaited.insert(input.name);
  }
  return awaited;
}

// Adds what Validate finds, but for what follows from an error that is already reported, and makes
// one level of steps.
void Finish(const std::set<std::string>& awaited, Reading* reading) {
  for (const Problem& problem : Validate(reading->spec, awaited)) AddProblem(problem, reading);
  if (reading->reporter.errors() != 0) return;
  for (const Problem& problem : Flatten(&reading->spec)) AddProblem(problem, reading);
  if (reading->reporter.errors() != 0) return;
  for (const Problem& problem : Validate(reading->spec, awaited)) {
    if (problem.severity == Severity::kError) AddProblem(problem, reading);
  }
}

}  // namespace

Loaded LoadJob(const std::string& file, const LoadOptions& options) {
  Reading reading;
  Scope scope;
  reading.scope = &scope;
  reading.assets = options.assets;
  reading.folder_content = options.folder_content;
  Loaded loaded;
  const YamlNode* root =
      options.text
          ? ParseYamlText(*options.text, file, &reading.arena, &reading.reporter)
          : ParseYamlFile(
                file, file, {reading.arena.File(file), 0, 0}, &reading.arena, &reading.reporter);
  if (root != nullptr) root = Override(root, options.set, &reading.arena, &reading.reporter);
  if (root != nullptr && options.is_component) root = JobOfComponent(root, &reading.arena);
  if (root != nullptr) {
    ReadJob(*root, OriginOf(file), &reading);
    reading.spec.steps = std::move(scope.steps);
    AddMissing(&reading);
    if (options.refuse_opaque) {
      for (const Problem& problem : FindOpaque(reading.spec)) AddProblem(problem, &reading);
    }
    std::set<std::string> awaited;
    if (options.values_may_follow) awaited = AwaitedInputs(*root, reading.spec);
    if (reading.is_whole) Finish(awaited, &reading);
  }
  if (reading.reporter.errors() == 0) loaded.spec = std::move(reading.spec);
  loaded.diagnostics = reading.reporter.Take(file);
  return loaded;
}

}  // namespace potok::client
