// Types that the file leaves open: of inline nodes' ports from what they are bound to, of the
// pipeline's outputs from the steps that fill them, and of its literals from the ports that read
// them. One thread.
#pragma once

#include "client/frontend/azureml/reading.h"

namespace potok::client {

// Fills in the types of all ports in the untyped_* sets of `scope`, whose pipeline has these inputs
// and outputs, and gives the steps of scope->open_ports the outputs that others name. Inputs whose
// source is not there (a loop that is not put together yet) stay in the set.
void InferTypes(std::vector<Input>* inputs, std::vector<Output>* outputs, Scope* scope);

}  // namespace potok::client
