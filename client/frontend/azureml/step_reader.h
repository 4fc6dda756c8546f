// The nodes of a pipeline. One thread.
#pragma once

#include "client/frontend/azureml/reading.h"

namespace potok::client {

// Reads `jobs` of a pipeline into reading->spec.steps.
void ReadSteps(const YamlNode& jobs, const Origin& origin, Reading* reading);

// Reads the single step "main" of a standalone command job from the job's own fields: command,
// code, inputs, outputs and run settings.
void ReadStandaloneStep(Fields* fields, const Origin& origin, Reading* reading);

}  // namespace potok::client
