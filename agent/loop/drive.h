// Runs a loop until it is done.
#pragma once

#include "agent/loop/inbox.h"

namespace potok::agent {

// Waits for the inbox, processes, stop signals (SIGTERM and SIGINT, which the caller has blocked)
// and for what is due, and gives all of it to the loop. Returns when the loop is done.
void Drive(AgentLoop& loop, Inbox& inbox, const Executor& executor);

}  // namespace potok::agent
