// Following a run on the screen until it has ended.
#pragma once

#include <string>

#include "client/cli/context.h"
#include "client/potok_client/runs_client.h"

namespace potok::client {

struct FollowRunOptions {
  bool logs = false;                // print the steps' logs too, each line behind its step's name
  std::string heading = {};         // printed once the server has told of the run
  std::string before_summary = {};  // printed once the run has ended
};

// Shows the run until it has ended, then its summary. The exit code: 0 only if it completed; 130
// after Ctrl-C, which leaves the run going and says how to cancel it.
int FollowRun(const Context& context,
              RunsClient& runs,
              const std::string& name,
              const FollowRunOptions& options);

}  // namespace potok::client
