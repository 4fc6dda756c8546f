// The keys of a parallel_for. One thread.
#pragma once

#include <string>

#include "client/frontend/azureml/reading.h"
#include "common/pipeline/control.h"

namespace potok::client {

// The items, concurrency and outputs of the node `name`, whose fields are `node` and whose body is
// the step `body`. `step`, which has the body's ports, becomes one that has the loop's: its items
// come in, and of each output there are many. What is wrong is reported.
ParallelFor ReadParallelFor(const std::string& name,
                            const std::string& body,
                            const Origin& origin,
                            Fields* node,
                            Step* step,
                            Reading* reading);

}  // namespace potok::client
