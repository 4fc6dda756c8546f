// Command components: files, and maps written in the node. One thread.
#pragma once

#include <optional>
#include <string>

#include "client/frontend/azureml/reading.h"

namespace potok::client {

// What a component declares: a step without its bindings. Inputs hold their defaults.
struct Component {
  Step step;
  const YamlNode* source = nullptr;  // its map
};

// The component that `value` of a node's `component:` names. Reports what is wrong, naming the node
// as `what`; then, and for kinds that are not supported yet, returns nothing.
std::optional<Component> ReadComponent(const YamlNode& value,
                                       const Origin& origin,
                                       const std::string& what,
                                       Reading* reading);

// What to tell of a node or component of a kind that Potok does not run, or "" for a command.
// `type` is in lower case.
std::string Refusal(const std::string& type);

}  // namespace potok::client
