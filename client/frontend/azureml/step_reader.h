// The nodes of a pipeline. One thread.
#pragma once

#include <vector>

#include "client/frontend/azureml/reading.h"

namespace potok::client {

// Reads `jobs` of the pipeline whose scope is reading->scope and whose ports these are into the
// scope's steps, with loops and conditions put together and types filled in. False if steps are
// missing; then something has been reported.
bool ReadSteps(const YamlNode& jobs,
               const Origin& origin,
               std::vector<Input>* inputs,
               std::vector<Output>* outputs,
               Reading* reading);

// Reads the single step "main" of a standalone job of `type` ("command", "sweep", "spark"...) from
// the job's own fields: what it runs, its inputs and outputs and how it runs.
void ReadStandaloneStep(const std::string& type,
                        Fields* fields,
                        const Origin& origin,
                        Reading* reading);

}  // namespace potok::client
