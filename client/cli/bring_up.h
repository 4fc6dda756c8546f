// The embedded stack, asked for.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/cli/context.h"
#include "client/potok_client/connection.h"

namespace potok::client {

struct UpOptions {
  int agents = 0;                         // 0: as it was, or one
  std::vector<std::string> server_flags;  // with or without the dashes
  std::string agent_memory;
  std::string agent_cpus;
  std::string agent_gpus;
  std::vector<std::string> agent_labels;
  std::vector<std::string> agent_pools;
  std::vector<std::string> agent_flags;  // with or without the dashes
  // Programs to run instead of those beside this one: to try another build.
  std::string server_program;
  std::string agent_program;
  int timeout_seconds = 120;

  // True if something was asked for about the agents or the server's flags.
  bool AsksForMore() const;
};

// Starts what does not run, and waits until the server answers and every agent is ready. A stack
// that runs is left as it is; FAILED_PRECONDITION if other agents were asked for than it has.
absl::StatusOr<Connection> BringUp(const Context& context, const UpOptions& options);

}  // namespace potok::client
