// A step of mini-batches as a command. Pure.
#pragma once

#include <string>

#include "common/pipeline/control.h"

namespace potok {

// Name of the variable by which an agent tells where the Python that comes with it lies: the folder
// of potok_parallel.
inline constexpr char kPythonVariable[] = "POTOK_PYTHON";

// The command of an ordinary attempt that does what the step says: the runner
// (sdk/python/potok_parallel) with the settings as JSON, and the program arguments as they are in
// the file, templates included. Settings are text without '$' and quotes to the shell and to
// templates, whatever the file holds.
std::string CommandOfParallel(const Parallel& parallel);

}  // namespace potok
