// Azure ML's CLI v2 YAML as a pipeline spec. Reads local files only: nothing is uploaded, no
// network. Any thread; the working directory decides what relative names mean.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/frontend/azureml/diagnostics.h"
#include "common/pipeline/spec.h"

namespace potok::client {

struct LoadOptions {
  // "inputs.lr=0.1": changes of the file before it is read, in order.
  std::vector<std::string> set;
};

struct Loaded {
  // The pipeline, if nothing is wrong with it. Local files and code are absolute paths.
  std::optional<PipelineSpec> spec;
  // Errors and warnings, by file and line.
  std::vector<Diagnostic> diagnostics;

  bool HasErrors() const { return !spec.has_value(); }
};

// Reads the pipeline job or standalone command job in `file`, and everything it names on this
// machine, and validates it. Never throws. Differences from Azure ML, which are on purpose:
// - a declared type decides how a scalar is read, and a string port keeps what was written;
// - `resources` also takes memory, cpus, gpus and labels, and nodes take depends_on;
// - no compute and no environment are needed.
Loaded LoadJob(const std::string& file, const LoadOptions& options);

}  // namespace potok::client
