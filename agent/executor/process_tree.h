// Ending processes that no shim watches any more, where there are no cgroups.
#pragma once

#include <sys/types.h>

namespace potok::agent {

// Sends SIGKILL to all descendants of process `shim` and all members of its session, but not to the
// shim itself. True if there was none alive. Reads all of /proc.
bool KillTreeOf(pid_t shim);

}  // namespace potok::agent
