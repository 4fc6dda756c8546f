// Runs a program to its end.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace potok::server {

// Runs argv[0] (an absolute path) in the folder `/` with a fixed PATH and the locale C.UTF-8, its
// output appended to `log_file`, and waits for it. INTERNAL with the end of what it wrote if it
// does not end with 0. Blocks. Thread-safe.
absl::Status RunProgram(const std::vector<std::string>& argv, const std::string& log_file);

}  // namespace potok::server
