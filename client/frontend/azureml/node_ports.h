// The inputs and outputs of one node or standalone job. One thread.
#pragma once

#include "client/frontend/azureml/fields.h"
#include "client/frontend/azureml/port.h"

namespace potok::client {

// What a node gives for the ports that its component declares, which are step->inputs and
// step->outputs already. Others are reported.
void BindPorts(Fields* fields, const PortContext& context, Step* step);

// The ports of a node that declares them by giving them. Those whose type stays open are remembered
// in the scope as ports of its next step.
void GivePorts(Fields* fields, const PortContext& context, Step* step);

// Adds an input as GivePorts does: the value of a field of its own, as `training_data` of automl.
void GiveInput(const YamlEntry& entry, const PortContext& context, Step* step);

}  // namespace potok::client
