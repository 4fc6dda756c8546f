// What a sweep searches, and how: search_space, sampling_algorithm, objective, limits and
// early_termination. One thread.
#pragma once

#include "client/frontend/azureml/fields.h"
#include "client/frontend/azureml/reading.h"
#include "common/pipeline/control.h"

namespace potok::client {

// Reads all of them but the values of choices, which depend on the types of the trial's inputs.
void ReadSearch(Fields* fields, Reading* reading, Sweep* sweep);

// Adds an input for each parameter of the space that `step` has no input for, of the type of its
// values, and then reads the values of choices as their inputs' types.
void ReadSampledInputs(Fields* fields, Reading* reading, Sweep* sweep, Step* step);

}  // namespace potok::client
