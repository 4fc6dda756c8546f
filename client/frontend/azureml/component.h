// Components: what they declare, without the bindings of the node that uses them. One thread.
#pragma once

#include <optional>
#include <string>

#include "client/frontend/azureml/component_source.h"
#include "client/frontend/azureml/reading.h"

namespace potok::client {

// What the component of a node, or the trial of a sweep, is: the map that it is written in, and
// who names it.
struct ComponentUse {
  ComponentSource source;
  std::string what;  // "node 'train'"
  Place at;          // where it is named
};

// The name, version, title and tags that any kind of component has.
void ReadComponentHead(Fields* fields, const ComponentSource& source, Step* step);

// A command component as a step whose inputs hold their defaults. Reports what is wrong, and
// returns nothing if there is no component at all.
std::optional<Step> ReadCommandComponent(const ComponentUse& use, Reading* reading);

// The declared ports of any component.
void ReadDeclaredPorts(Fields* fields, const ComponentUse& use, Reading* reading, Step* step);

// Keys that any component may have and that mean nothing here.
void IgnoreComponentKeys(Fields* fields);

// Files that are merged into the code.
void ReadIncludes(Fields* fields, const Origin& origin, Reading* reading, Step* step);

}  // namespace potok::client
