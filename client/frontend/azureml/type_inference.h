// Types that the file leaves open: of inline nodes' ports from what they are bound to, of the
// pipeline's outputs from the steps that fill them, and of its literals from the ports that read
// them. One thread.
#pragma once

#include "client/frontend/azureml/reading.h"

namespace potok::client {

// Fills in the types of all ports in the untyped_* sets of `reading`. References that lead nowhere
// are left as they are; Validate refuses them.
void InferTypes(Reading* reading);

}  // namespace potok::client
