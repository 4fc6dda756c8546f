// The daemon that keeps the processes of an embedded stack running. One thread, no gRPC: it forks.
#pragma once

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/cli/stack/home.h"
#include "client/cli/stack/stack_config.h"

namespace potok::client {

// How long a process may take to end after SIGTERM before it is killed.
struct StopPatience {
  absl::Duration agent = absl::Seconds(30);
  // The server stops PostgreSQL first, which writes out what it holds.
  absl::Duration server = absl::Seconds(60);
};

// Takes over what runs, starts what does not, starts again what ends, until SIGTERM or SIGINT; then
// stops the agents, then the server. ALREADY_EXISTS at once if another supervisor has this home.
absl::Status Supervise(const Home& home, const StackConfig& config, const StopPatience& patience);

// True if a supervisor has this home.
bool SupervisorRuns(const Home& home);

// Stops what a supervisor that was killed has left: agents, server, PostgreSQL, as Supervise does.
// Names of what was stopped, in this order. Takes the supervisor's lock; UNAVAILABLE if another has
// it.
absl::StatusOr<std::vector<std::string>> StopLeftovers(const Home& home,
                                                       const StackConfig& config,
                                                       const StopPatience& patience);

}  // namespace potok::client
