#pragma once

namespace potok::enter {

// Sends SIGKILL to all processes that this one and those below it have started, by proc(5). What
// runs in other namespaces of processes is found only where /proc shows it.
void KillDescendants();

}  // namespace potok::enter
