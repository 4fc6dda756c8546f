// Following a run with its logs, as `job stream` and `job create --stream` do.
#pragma once

#include <string>

#include "client/cli/options.h"
#include "client/potok_client/connection.h"

namespace potok::client {

// Prints what `az ml job stream` begins and ends with ("RunId:", "Web View:", "Execution Summary"),
// between them the changes and logs, then the summary. The exit code: 0 only if the run completed.
int StreamRun(const Context& context,
              const CommonOptions& options,
              const Connection& connection,
              const std::string& name);

}  // namespace potok::client
