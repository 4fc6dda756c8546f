// Looks for programs that need no shell. Blocks on the disk for some microseconds.
#pragma once

#include <optional>
#include <string>

namespace potok::agent {

// The absolute path of `program`, itself absolute or to be found in the folders of `path` ("A:B").
// Nothing if there is none, if it is relative with a '/', or if the kernel could not execute it: of
// a script without "#!" only a shell makes something.
std::optional<std::string> FindProgramInPath(const std::string& program, const std::string& path);

}  // namespace potok::agent
