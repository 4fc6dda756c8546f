#include "agent/executor/shim/command.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "agent/executor/shim/system_calls.h"

namespace potok::shim {
namespace {

using agent::StartStage;

struct KernelSigaction {
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)();
  std::uint64_t mask;
};

// Shared by parent and child: with CLONE_VM the child's failure is seen by the parent at once.
struct Child {
  const Command* command;
  StartStage stage = StartStage::kNone;
  int error = 0;
};

[[noreturn]] void Fail(Child* child, StartStage stage, long answer) {
  child->stage = stage;
  child->error = static_cast<int>(-answer);
  Exit(127);
}

void JoinCgroup(Child* child, const char* procs) {
  const long file = Call(SYS_open, procs, O_WRONLY | O_CLOEXEC);
  if (file < 0) Fail(child, StartStage::kCgroup, file);
  const long written = Call(SYS_write, file, "0", 1);  // "0": whoever writes
  if (written < 0) Fail(child, StartStage::kCgroup, written);
}

// Before the command can do anything: should the shim be killed, the agent ends the group by this
// number.
void RecordPid() {
  const auto pid = static_cast<std::int32_t>(Call(SYS_getpid));
  Call(SYS_pwrite64, agent::kStateFd, &pid, sizeof(pid), agent::kCommandPidOffset);
}

// Ignored signals stay ignored over exec, and agents ignore SIGPIPE.
void ResetSignals() {
  const KernelSigaction by_default = {};
  for (int signal = 1; signal < 32; ++signal) {
    Call(SYS_rt_sigaction, signal, &by_default, nullptr, sizeof(by_default.mask));
  }
  const std::uint64_t none = 0;
  Call(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof(none));
}

void Run(void* argument) {
  auto* child = static_cast<Child*>(argument);
  const Command& command = *child->command;
  Call(SYS_setpgid, 0, 0);
  Call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
  Call(SYS_umask, 022);
  if (command.tracked_cgroup < 0) RecordPid();
  for (const char* procs : command.joined_cgroups) {
    if (*procs != 0) JoinCgroup(child, procs);
  }
  ResetSignals();
  Fail(child,
       StartStage::kExec,
       Call(SYS_execve, command.argv[0], command.argv, command.environment));
}

}  // namespace

Started Start(const Command& command) {
  Child child;
  child.command = &command;
  alignas(16) char stack[4096];
  clone_args arguments = {};
  arguments.flags = CLONE_VM | CLONE_VFORK;
  arguments.exit_signal = SIGCHLD;
  arguments.stack = reinterpret_cast<std::uint64_t>(stack);
  arguments.stack_size = sizeof(stack);
  if (command.tracked_cgroup >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<std::uint64_t>(command.tracked_cgroup);
  }
  const long pid = CloneAndRun(&arguments, sizeof(arguments), &Run, &child);
  Started started;
  if (pid < 0) {
    started.failed_stage = StartStage::kSpawn;
    started.failed_errno = static_cast<int>(-pid);
  } else if (child.stage != StartStage::kNone) {
    Call(SYS_wait4, pid, nullptr, __WALL, nullptr);
    started.failed_stage = child.stage;
    started.failed_errno = child.error;
  } else {
    started.pid = static_cast<int>(pid);
  }
  return started;
}

}  // namespace potok::shim
