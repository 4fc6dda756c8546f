// Azure ML's CLI v2 YAML as a pipeline spec. Reads local files, and what is registered through a
// port: nothing is uploaded. Any thread; the working directory decides what relative names mean.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/frontend/azureml/assets.h"
#include "client/frontend/azureml/diagnostics.h"
#include "common/pipeline/spec.h"

namespace potok::client {

struct LoadOptions {
  // "inputs.lr=0.1": changes of the file before it is read, in order.
  std::vector<std::string> set;
  // Where registered components, environments and data are looked up; must outlive the call. Null:
  // nowhere. Then components by name are errors, and environments and data stay names.
  Assets* assets = nullptr;
  // Steps that another service would run are errors; else warnings.
  bool refuse_opaque = false;
  // An input that the job lists without a value may get one when it is submitted (by `set`): its
  // lack is a warning, and the spec that is loaded is then not one to submit.
  bool values_may_follow = false;
  // Tells build contexts apart by what is in them; null: by their Dockerfile only.
  FolderContent folder_content;
  // The file is a component, read as a pipeline of one node that uses it.
  bool is_component = false;
  // What the file holds, if it is not to be read; its name then only stands in messages.
  std::optional<std::string> text;
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
// - `resources` also says what a step asks of its machine, and nodes take depends_on;
// - no compute and no environment are needed.
// All that is read and how it differs from Azure ML: docs/language.md.
Loaded LoadJob(const std::string& file, const LoadOptions& options);

}  // namespace potok::client
