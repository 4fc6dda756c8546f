// Where the YAML of a component comes from: the node itself, a file, or the registry. One thread.
#pragma once

#include <optional>
#include <string>

#include "client/frontend/azureml/reading.h"

namespace potok::client {

struct ComponentSource {
  const YamlNode* map = nullptr;  // may be an empty file's kNull
  Origin origin;                  // where relative paths in it start
  std::string shown;              // for messages: "of node 'train'", "'train.yml'"
  // Of a registered one: its exact name and version, whatever label named it.
  std::string name;
  std::string version;
  // Of azureml://registries/..., and not registered on this server either: then there is no map,
  // and nothing was reported.
  bool is_elsewhere = false;
};

// The component that `value` of a node's `component:`, or of a sweep's `trial:`, names: a map, a
// path with or without "file:", or a reference to a registered one. Files and references are read
// once each. Reports what is wrong, naming the node as `what`; then returns nothing.
std::optional<ComponentSource> FindComponent(const YamlNode& value,
                                             const Origin& origin,
                                             const std::string& what,
                                             Reading* reading);

// What to say of a component of another registry, that nobody here can run.
std::string WhyElsewhere(const std::string& reference);

}  // namespace potok::client
