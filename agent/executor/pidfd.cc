#include "agent/executor/pidfd.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace potok::agent {

UniqueFd OpenPidfd(pid_t pid) {
  return UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
}

void SignalWithValue(int pidfd, int signal, int value) {
  siginfo_t info = {};
  info.si_signo = signal;
  info.si_code = SI_QUEUE;
  info.si_pid = getpid();
  info.si_uid = getuid();
  info.si_value.sival_int = value;
  syscall(SYS_pidfd_send_signal, pidfd, signal, &info, 0);
}

}  // namespace potok::agent
