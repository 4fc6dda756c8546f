// Nodes that another service would run: spark, automl, data transfers, components of registries
// elsewhere. They are read, have ports and stand in the plan; submitting them is refused. One
// thread.
#pragma once

#include "client/frontend/azureml/component.h"
#include "client/frontend/azureml/node_ports.h"

namespace potok::client {

// Reads a node of `type` ("spark") with the ports that its file, its component or its own fields
// name. `use` is null for an inline node; a source that is elsewhere leaves the ports open.
void ReadOpaque(const std::string& type,
                const ComponentUse* use,
                Fields* fields,
                const PortContext& context,
                Step* step);

}  // namespace potok::client
