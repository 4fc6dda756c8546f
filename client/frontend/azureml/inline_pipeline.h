// What has to be known before a pipeline that is written in place, a node with `jobs`, is read: the
// types of its inputs, and so the nodes that they come from. One thread.
#pragma once

#include <vector>

#include "client/frontend/azureml/reading.h"

namespace potok::client {

// Notes in scope->loops what the nodes of control flow do with their bodies.
void NoteLoops(const std::vector<const YamlEntry*>& control_flow, Scope* scope);

// `pipelines`, nodes with `jobs`, so that each comes after those whose ports it is bound to, also
// by way of loops. Of those that wait for each other, which is told later, one is first.
std::vector<const YamlEntry*> InOrderOfNeed(const std::vector<const YamlEntry*>& pipelines,
                                            const Scope& scope);

// Fills in the types of the untyped inputs of `step`, which the scope's next step will be, from
// what they are bound to, and takes them out of scope->untyped_inputs.
void TypeGivenInputs(Scope* scope, Step* step);

}  // namespace potok::client
