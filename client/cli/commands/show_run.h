// Showing one run, as `job show` and `job create` do.
#pragma once

#include <string>

#include "client/cli/options.h"
#include "client/cli/show/job_object.h"
#include "client/potok_client/connection.h"
#include "client/potok_client/runs_client.h"

namespace potok::client {

// Where the runs of this server are found, for services.Studio.endpoint: on the web page that
// POTOK_WEB or the profile names.
std::string RunsAt(const Context& context,
                   const CommonOptions& options,
                   const Connection& connection);

// Prints the run; of RUN_STEP or RUN/STEP the step, as a job of its own. The exit code.
int ShowRun(const Context& context,
            const CommonOptions& options,
            const Connection& connection,
            const std::string& name);

}  // namespace potok::client
