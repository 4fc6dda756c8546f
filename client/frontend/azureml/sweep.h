// Sweeps: nodes and standalone jobs that run a trial many times. One thread.
#pragma once

#include "client/frontend/azureml/node_ports.h"

namespace potok::client {

// Reads a sweep from the fields of a node or job: its trial with what the fields say of how trials
// run, the search space, and the ports, which are the trial's. ${{search_space.X}} in the command
// becomes ${{inputs.X}}, of an input that is added where the trial has none. `name` is the step's
// whole name. False if there is no step; then it has been reported.
bool ReadSweep(Fields* fields, const PortContext& context, const std::string& name, Step* step);

}  // namespace potok::client
