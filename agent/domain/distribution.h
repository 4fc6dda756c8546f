// What the processes of a distributed step are told of each other: the variables of PyTorch, MPI
// and TensorFlow as Azure ML sets them, and Potok's own. Pure. docs/decisions/0038-gangs.md
#pragma once

#include <map>
#include <string>

#include "agent/domain/order.h"

namespace potok::agent {

// True if more than the one process that runs the command has to be started, or it is MPI that
// starts it: then sdk/python/potok_ranks does.
bool NeedsLauncher(const AttemptOrder& order);

// The variables of this machine's processes; those that differ between them are the launcher's to
// add. Of a step that runs as one process on one machine: those of the only rank there is.
void AddDistribution(const AttemptOrder& order, std::map<std::string, std::string>& to);

}  // namespace potok::agent
