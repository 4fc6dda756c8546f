// Starting the supervisor so that it outlives the terminal.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/stack/home.h"

namespace potok::client {

// Path of `program`: beside this program, else the first of the folders in `search_path` (as PATH)
// that has it; NOT_FOUND names what was looked at.
absl::StatusOr<std::string> FindProgram(const std::string& program,
                                        const std::string& own_program,
                                        const std::string& search_path);

// Runs `potok supervise --home=...` in a session of its own and returns once it is detached.
// `potok_program` is this program's path.
absl::Status SpawnSupervisor(const Home& home, const std::string& potok_program);

// In `potok supervise`: goes on as a child that leads no session (so that it can never acquire a
// terminal), standard output and error in the supervisor's log, in the folder "/". The parent ends
// here with 0. Call before any thread is started.
absl::Status Detach(const Home& home);

}  // namespace potok::client
