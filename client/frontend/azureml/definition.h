// What a command does: the fields that an inline node, a standalone job and a component file share.
// One thread.
#pragma once

#include <string>

#include "client/frontend/azureml/reading.h"

namespace potok::client {

// Reads command and code into `step`.
void ReadCommand(Fields* fields, const Origin& origin, Reading* reading, Step* step);

// Reads environment, environment_variables, resources and distribution over what `step` already
// has: a node's own fields win over its component's, one by one. Unknown keys in them are
// reported as `unknown`.
void ReadRunSettings(
    Fields* fields, const Origin& origin, Severity unknown, Reading* reading, Step* step);

// The same of limits, for steps that have no limits of their own kind.
void ReadLimits(Fields* outer, Severity unknown, Reading* reading, Step* step);

}  // namespace potok::client
