// What a sweep searches, and how: search_space, sampling_algorithm, objective, limits and
// early_termination. One thread.
#pragma once

#include <functional>
#include <string>

#include "client/frontend/azureml/fields.h"
#include "client/frontend/azureml/reading.h"
#include "common/pipeline/control.h"

namespace potok::client {

// Reads all of them but the values of choices, which depend on the types of the trial's inputs.
void ReadSearch(Fields* fields, Reading* reading, Sweep* sweep);

// Adds an input for each parameter of the space that `step` has no input for, of the type of its
// values, where `may_add` says so of its name; then reads the values of choices as their inputs'
// types. What has no input then is for Validate to refuse.
void ReadSampledInputs(Fields* fields,
                       const std::function<bool(const std::string& name)>& may_add,
                       Reading* reading,
                       Sweep* sweep,
                       Step* step);

}  // namespace potok::client
