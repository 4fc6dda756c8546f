// Loops and conditions: the nodes do_while, parallel_for and if_else. One thread.
#pragma once

#include <vector>

#include "client/frontend/azureml/reading.h"

namespace potok::client {

// Puts the nodes of control flow together with the steps of reading->scope that they name: a body
// becomes part of its loop, which takes its place among the steps, and the steps of an if_else look
// at its condition. False if steps are missing; then something has been reported.
bool ReadControlFlow(const std::vector<const YamlEntry*>& nodes,
                     const Origin& origin,
                     Reading* reading);

}  // namespace potok::client
