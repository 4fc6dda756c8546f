// Ending processes that no shim watches any more, where there are no cgroups.
#pragma once

#include <sys/types.h>

namespace potok::agent {

// False for zombies, too.
bool IsRunning(pid_t pid);

// Sends SIGKILL to all descendants of process `shim` but not to itself, and to all members of
// process group `group` unless that is 0. True if there was none alive. Reads all of /proc.
//
// What has left the group and outlived the shim is not found.
bool KillTreeOf(pid_t shim, pid_t group);

}  // namespace potok::agent
