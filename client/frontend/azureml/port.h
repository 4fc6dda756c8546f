// Inputs and outputs: declared by components, and given or bound by jobs and nodes. One thread.
#pragma once

#include <string>
#include <vector>

#include "client/frontend/azureml/reading.h"

namespace potok::client {

// Where inputs and outputs stand.
struct PortContext {
  Reading* reading = nullptr;
  Origin origin;
  std::string what;   // begins messages: "node 'train'"
  std::string where;  // begins Problem::where: "jobs.train.", or "" for the job itself
  Severity unknown = Severity::kError;  // of keys that a port does not have
  bool is_node = false;                 // a node of a pipeline, whose texts may be bindings
  // What is said of files that do not exist and of data that is not registered. Not an error where
  // nothing is run that reads them; of the job's inputs that is known at the end
  // (Reading::missing).
  enum class Missing { kError, kWarning, kLater };
  Missing missing = Missing::kError;
  // What an input is that the component does not declare and whose name is near to none that it
  // declares. Azure ML ignores it where the component is a pipeline, and a public example has one.
  Severity undeclared_input = Severity::kError;
};

// The declarations of a component: `inputs` or `outputs` of its file. Null: none.
std::vector<Input> ReadDeclaredInputs(const YamlNode* map, const PortContext& context);
std::vector<Output> ReadDeclaredOutputs(const YamlNode* map, const PortContext& context);

// What is given for one input. `declared` is the component's port, or null: then the type comes
// from the value, and is_typed is false where a binding or a bare literal leaves it open.
struct GivenInput {
  Input input;
  bool is_typed = true;
};
GivenInput ReadGivenInput(const YamlEntry& entry,
                          const Input* declared,
                          const PortContext& context);

// The same for one output, in all its forms: empty, a promotion, or a map.
struct GivenOutput {
  Output output;
  bool is_typed = true;
};
GivenOutput ReadGivenOutput(const YamlEntry& entry,
                            const Output* declared,
                            const PortContext& context);

}  // namespace potok::client
