// The kinds of nodes, jobs and components by their `type`. Pure.
#pragma once

#include <string>

#include "client/frontend/azureml/yaml_tree.h"

namespace potok::client {

enum class NodeKind {
  kCommand,
  kPipeline,
  kSweep,
  kParallel,
  kIfElse,
  kDoWhile,
  kParallelFor,
  kOpaque,   // another service's: read, planned, and not run
  kUnknown,  // no type at all
};

// Of a `type` in lower case; "" is a command.
NodeKind KindOfType(const std::string& type);

// The type of a component's file; flows of prompt flow have none of their own and are
// "prompt flow".
std::string TypeOfComponent(const YamlNode& map);

// What to do instead of a step of an opaque type: a sentence without its full stop.
std::string InsteadOf(const std::string& type);

// The types there are, for messages.
extern const char* const kNodeTypes;

}  // namespace potok::client
