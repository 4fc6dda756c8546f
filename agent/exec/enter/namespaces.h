// Entering the sandbox of a command that runs.
#pragma once

#include <sys/types.h>

namespace potok::enter {

// Joins the namespaces of the command in the sandbox whose outermost process (bwrap) is `sandbox`:
// all those that are not this process's own. What is forked from now on is in them. This process
// must have one thread, and be of the sandbox's user or root: setns(2), user_namespaces(7). Ends
// the program with what failed.
void EnterSandbox(pid_t sandbox);

}  // namespace potok::enter
