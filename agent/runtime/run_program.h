// Runs a small program of the machine's to its end, and takes what it says.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace potok::agent {

struct ProgramRun {
  std::vector<std::string> argv;  // argv[0] is absolute
  std::map<std::string, std::string> environment = {};
  absl::Duration timeout = absl::Minutes(1);
  std::function<bool()> canceled = {};  // asked every 50 ms; may be empty
  std::string output_file = {};         // appended to instead of taken; empty: taken
};

struct ProgramEnd {
  int code = 0;  // 128 and the signal's number where a signal ended it
  std::string output;
  std::string errors;  // the last 64 KiB of each
};

// Blocks. Any thread. CANCELLED or DEADLINE_EXCEEDED where it was ended for that; UNAVAILABLE where
// it could not be started.
absl::StatusOr<ProgramEnd> RunProgram(const ProgramRun& run);

// The last lines of what a program said, for a message of one line.
std::string LastWords(const ProgramEnd& end);

}  // namespace potok::agent
