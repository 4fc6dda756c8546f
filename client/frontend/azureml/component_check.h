// A component alone, as a job that can be read and validated. One thread.
#pragma once

#include "client/frontend/azureml/yaml_tree.h"

namespace potok::client {

// A pipeline whose only node uses the component in `component`, with something fitting for each
// input that it needs: what is wrong with that job is wrong with the component. A node of a name
// that the component has, or "component".
const YamlNode* JobOfComponent(const YamlNode* component, YamlArena* arena);

}  // namespace potok::client
