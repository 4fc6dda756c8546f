#include "client/frontend/azureml/load.h"

#include "client/frontend/azureml/job_reader.h"
#include "client/frontend/azureml/override.h"
#include "client/frontend/azureml/reading.h"
#include "client/frontend/azureml/type_inference.h"
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

// Adds what Validate finds, but for what follows from an error that is already reported.
void AddProblems(Reading* reading) {
  for (const Problem& problem : Validate(reading->spec)) {
    const auto [place, is_exact] = reading->sources.Find(problem.where);
    if (IsBroken(*reading, problem.where) || reading->reporter.HasErrorAt(place)) continue;
    reading->reporter.Report(problem.severity,
                             place,
                             is_exact ? problem.message : problem.where + ": " + problem.message);
  }
}

}  // namespace

Loaded LoadJob(const std::string& file, const LoadOptions& options) {
  Reading reading;
  Loaded loaded;
  const YamlNode* root = ParseYamlFile(
      file, file, {reading.arena.File(file), 0, 0}, &reading.arena, &reading.reporter);
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
