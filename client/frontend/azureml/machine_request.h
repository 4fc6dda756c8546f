// `resources`: what a step asks of its machine. One thread.
#pragma once

#include "client/frontend/azureml/reading.h"

namespace potok::client {

// Reads resources over what `step` already has: a node's own fields win over its component's, one
// by one. Unknown keys are reported as `unknown`.
void ReadResources(Fields* outer, Severity unknown, Reading* reading, Step* step);

}  // namespace potok::client
