// The calls on pidfds that the C library of Debian 12 has no functions for, see pidfd_open(2) and
// pidfd_send_signal(2).
#pragma once

#include <sys/types.h>

#include "agent/executor/unique_fd.h"

namespace potok::agent {

// Not valid if there is no such process.
UniqueFd OpenPidfd(pid_t pid);

// The receiver finds `value` in siginfo_t::si_value. A process that has ended is no error.
void SignalWithValue(int pidfd, int signal, int value);

}  // namespace potok::agent
