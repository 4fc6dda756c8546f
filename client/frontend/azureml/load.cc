#include "client/frontend/azureml/load.h"

#include "client/frontend/azureml/job_reader.h"
#include "client/frontend/azureml/override.h"
#include "client/frontend/azureml/reading.h"
#include "client/frontend/azureml/type_inference.h"
#include "common/pipeline/validate.h"

namespace potok::client {

namespace {

// Adds what Validate finds, but for what follows from an error that is already reported.
void AddProblems(Reading* reading) {
  for (const Problem& problem : Validate(reading->spec)) {
    const Place at = reading->sources.Find(problem.where);
    const std::string step = problem.where.substr(0, problem.where.find('.', 5));
    if (reading->broken_steps.contains(step) || reading->reporter.HasErrorAt(at)) continue;
    reading->reporter.Report(problem.severity, at, problem.message);
  }
}

}  // namespace

Loaded LoadJob(const std::string& file, const LoadOptions& options) {
  Reading reading;
  Loaded loaded;
  const YamlNode* root = ParseYamlFile(file, file, &reading.arena, &reading.reporter);
  if (root != nullptr) root = Override(root, options.set, &reading.arena, &reading.reporter);
  if (root != nullptr) {
    ReadJob(*root, OriginOf(file), &reading);
    InferTypes(&reading);
    if (reading.is_whole) AddProblems(&reading);
  }
  if (reading.reporter.errors() == 0) loaded.spec = std::move(reading.spec);
  loaded.diagnostics = reading.reporter.Take(file);
  return loaded;
}

}  // namespace potok::client
