// Pipelines in pipelines: components of type pipeline, to any depth. One thread.
#pragma once

#include "client/frontend/azureml/component.h"
#include "client/frontend/azureml/node_ports.h"

namespace potok::client {

// Reads the ports that a pipeline component declares, and what it is called. False if it is no
// pipeline that can be read; then it has been reported.
bool ReadPipelineHead(const ComponentUse& use, Reading* reading, Step* step);

// Reads the nodes of a pipeline component, whose inputs are those of `step` as they are bound, into
// a Nested body. `name` is the node's whole name. Refuses a component that holds itself, and more
// than 20 levels. False if steps are missing; then something has been reported.
bool ReadPipelineBody(const ComponentUse& use,
                      const std::string& name,
                      Reading* reading,
                      Step* step);

// Reads `jobs` in place of a component: the node's own ports are the pipeline's.
bool ReadInlinePipeline(Fields* fields,
                        const PortContext& context,
                        const std::string& name,
                        Reading* reading,
                        Step* step);

// The texts of those inputs that have one before anything runs, with ${{parent.inputs.X}} of the
// pipeline around replaced.
std::map<std::string, std::string> LiteralsOf(const std::vector<Input>& inputs,
                                              const Scope* around);

}  // namespace potok::client
