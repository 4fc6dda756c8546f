#include "client/frontend/azureml/load.h"

#include "client/frontend/azureml/job_reader.h"
#include "client/frontend/azureml/override.h"
#include "client/frontend/azureml/reading.h"
#include "client/frontend/azureml/type_inference.h"
#include "common/pipeline/validate.h"

namespace potok::client {

namespace {

// The place of the longest known beginning of `where`, else the top of the file.
Place PlaceOf(const Reading& reading, std::string where, const Place& top) {
  while (true) {
    const auto place = reading.places.find(where);
    if (place != reading.places.end() && place->second.file != nullptr) return place->second;
    const std::size_t dot = where.rfind('.');
    if (dot == std::string::npos) return top;
    where.resize(dot);
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
    // A spec with holes would only repeat in other words what is wrong already.
    if (!reading.reporter.has_errors()) {
      for (const Problem& problem : Validate(reading.spec)) {
        reading.reporter.Report(
            problem.severity, PlaceOf(reading, problem.where, root->at), problem.message);
      }
    }
  }
  if (!reading.reporter.has_errors()) loaded.spec = std::move(reading.spec);
  loaded.diagnostics = reading.reporter.Take();
  return loaded;
}

}  // namespace potok::client
