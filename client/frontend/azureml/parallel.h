// Parallel nodes and components: files in mini-batches, given to a Python script. One thread.
#pragma once

#include "client/frontend/azureml/component.h"
#include "client/frontend/azureml/node_ports.h"

namespace potok::client {

// Reads a parallel node: from its component (`use`), over which its own fields win, or null. False
// if there is no step; then it has been reported.
bool ReadParallel(const ComponentUse* use, Fields* fields, const PortContext& context, Step* step);

}  // namespace potok::client
