// Machines as the objects that commands print. Pure.
#pragma once

#include "client/cli/text/value.h"
#include "potok/v1/machines.pb.h"

namespace potok::client {

Value MachineObject(const v1::Machine& machine);

}  // namespace potok::client
