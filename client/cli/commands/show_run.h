// The printing of one run, for `job create` and `job show`.
#pragma once

#include "client/cli/options.h"
#include "client/cli/show/job_object.h"
#include "client/potok_client/runs_client.h"

namespace potok::client {

// JSON when the output is no terminal, text for people else; -o wins.
int ShowRun(const Context& context,
            const CommonOptions& options,
            RunsClient& runs,
            const std::string& name);

}  // namespace potok::client
