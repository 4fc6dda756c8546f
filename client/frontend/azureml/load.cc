#include "client/frontend/azureml/load.h"

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

bool ReadsInput(const Step& step, const std::string& name) {
  const std::string spelled = Spelled(ParentInput{name});
  for (const Input& input : step.inputs) {
    const auto* text = std::get_if<TextValue>(&input.value);
    const auto parts = ParseTemplate(text == nullptr ? "" : text->text, TemplatePlace::kBinding);
    if (!parts.ok()) continue;
    for (const TemplatePart& part : *parts) {
      const auto* expression = std::get_if<Expression>(&part);
      if (expression != nullptr && Spelled(*expression) == spelled) return true;
    }
  }
  return false;
}

// Files that do not exist are wrong unless only steps read them that are not run here.
void AddMissing(Reading* reading) {
  for (const MissingPath& missing : reading->missing) {
    bool is_opaque = false;
    bool is_run = false;
    for (const Step& step : reading->spec.steps) {
      if (!ReadsInput(step, missing.input)) continue;
      const bool opaque =
          step.control != nullptr && std::holds_alternative<Opaque>(step.control->kind);
      (opaque ? is_opaque : is_run) = true;
    }
    const bool is_wrong = is_run || !is_opaque;
    reading->reporter.Report(
        is_wrong ? Severity::kError : Severity::kWarning, missing.at, missing.message);
    if (is_wrong) reading->broken.insert("inputs." + missing.input);
  }
}

// Adds what Validate finds, but for what follows from an error that is already reported, and makes
// one level of steps.
void Finish(Reading* reading) {
  for (const Problem& problem : Validate(reading->spec)) AddProblem(problem, reading);
  if (reading->reporter.errors() != 0) return;
  for (const Problem& problem : Flatten(&reading->spec)) AddProblem(problem, reading);
  if (reading->reporter.errors() != 0) return;
  for (const Problem& problem : Validate(reading->spec)) {
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
    if (reading.is_whole) Finish(&reading);
  }
  if (reading.reporter.errors() == 0) loaded.spec = std::move(reading.spec);
  loaded.diagnostics = reading.reporter.Take(file);
  return loaded;
}

}  // namespace potok::client
