// What the supervisor tells others about the processes it keeps, in a file that it replaces at each
// change.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/cli/stack/home.h"
#include "client/cli/stack/process_identity.h"

namespace potok::client {

struct ProcessState {
  std::string name;
  ProcessIdentity identity;  // pid 0: it does not run
  int restarts = 0;          // since `potok up`
  std::string last_end;      // "exit code 1", "signal 9 (Killed)", or empty
  absl::Time last_end_at = absl::InfinitePast();
};

absl::Status SaveState(const std::vector<ProcessState>& processes, const Home& home);
// Empty if there is none or it cannot be read. Whether a process still runs is not judged.
std::vector<ProcessState> LoadState(const Home& home);

}  // namespace potok::client
