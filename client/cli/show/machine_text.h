// Machines as text for people. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/cli/text/table.h"
#include "potok/v1/machines.pb.h"

namespace potok::client {

// "Ready", "Cordoned", "Draining, 3 steps", "Drained", "Quarantined", "NotResponding, cordoned".
std::string MachineState(const v1::Machine& machine);

std::string MachineTable(const std::vector<v1::Machine>& machines, const TableStyle& style = {});

// One machine with all that runs on it.
std::string MachineText(const v1::Machine& machine,
                        absl::TimeZone zone,
                        const TableStyle& style = {});

}  // namespace potok::client
