// A run's pipeline as a file that makes the same again. Pure.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/pipeline/spec.h"

namespace potok::client {

// The pipeline as Azure ML's YAML with all of it in one file: components are written into their
// nodes, code and data are artifacts of the store (common/pipeline/artifact_reference.h), steps of
// nested pipelines are nodes by their whole names. Read again, it gives the same spec, but for its
// name, which is left out. INTERNAL for a spec that no server keeps.
absl::StatusOr<std::string> JobFile(const PipelineSpec& spec);

}  // namespace potok::client
