// Runs and machines as the objects that commands print, in Azure ML's words. Pure.
#pragma once

#include "client/cli/text/value.h"
#include "potok/v1/machines.pb.h"
#include "potok/v1/runs.pb.h"

namespace potok::client {

// A run as Azure ML's job: inputs, outputs, jobs and settings when `run` has its spec.
Value JobObject(const v1::Run& run);

// What lists show of a run.
Value JobListItem(const v1::Run& run);

Value MachineObject(const v1::Machine& machine);

}  // namespace potok::client
