// A run of one command without a file. Pure but for looking whether paths exist.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/pipeline/spec.h"

namespace potok::client {

struct OneStepOptions {
  std::vector<std::string> command;  // argv; may hold ${{inputs.NAME}}
  std::string memory;
  std::string cpus;
  std::string gpus;
  std::vector<std::string> gpu_models;
  std::string gpu_memory;
  std::string disk;
  std::vector<std::string> named;                  // NAME=COUNT
  std::string labels;                              // an expression
  std::vector<std::string> inputs;                 // name=path, name=URI or name=text
  std::vector<std::string> outputs;                // names
  std::vector<std::string> environment_variables;  // KEY=VALUE
  std::string code;                                // folder, or empty
  std::string compute;
  std::string name;
  int timeout_seconds = 0;
};

// The pipeline of this one step. Relative paths are below `working_folder`. INVALID_ARGUMENT names
// the option that is wrong.
absl::StatusOr<PipelineSpec> OneStepSpec(const OneStepOptions& options,
                                         const std::string& working_folder);

}  // namespace potok::client
