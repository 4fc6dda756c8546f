// Names of runs.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "common/pipeline/spec.h"

namespace potok::server {

// Azure ML's form: adjective_noun_ and ten characters of [a-z0-9]. Random; unique in practice, and
// claimed anyway.
std::string MakeRunName();

// OK if a wished name is 1 to 255 characters of [A-Za-z0-9_-] and starts with a letter or digit.
absl::Status CheckRunName(const std::string& name);

// What Azure ML calls the job's name of a step: RUN_STEP, and RUN for a run that is no pipeline.
std::string StepJobName(const PipelineSpec& spec, const std::string& run, const std::string& step);

}  // namespace potok::server
