// The whole command line.
#pragma once

#include <string>
#include <vector>

#include "client/cli/context.h"

namespace potok::client {

// Runs what `words` (without the program's name) say; the exit code of the process.
int RunCommandLine(const std::vector<std::string>& words, const Context& context);

}  // namespace potok::client
