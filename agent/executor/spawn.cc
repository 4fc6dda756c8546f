#include "agent/executor/spawn.h"

#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <variant>

namespace potok::agent {
namespace {

constexpr std::size_t kStackBytes = std::size_t{64} * 1024;

// The child runs in the parent's memory, so what it finds is seen by the parent at once.
struct Child {
  const SpawnRequest* request;
  SpawnFailure failure;
};

// Only bare system calls: library functions may take locks that another thread of the parent holds.
int RunChild(void* argument) {
  auto* child = static_cast<Child*>(argument);
  const SpawnRequest& request = *child->request;
  if (syscall(SYS_chdir, request.working_directory) < 0) {
    child->failure = {errno, true};
    return 127;
  }
  int number = 0;
  for (const int descriptor : request.descriptors) {
    if (syscall(SYS_dup2, descriptor, number++) < 0) {
      child->failure = {errno, false};
      return 127;
    }
  }
  syscall(SYS_execve, request.program, request.argv, request.environment);
  child->failure = {errno, false};
  return 127;
}

}  // namespace

Spawner::Spawner() : stack_(new char[kStackBytes]) {}
Spawner::~Spawner() = default;

std::variant<Spawned, SpawnFailure> Spawner::Spawn(const SpawnRequest& request) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  // No handler of the parent's may run in the child, in the parent's memory.
  pthread_sigmask(SIG_SETMASK, &all, &before);
  Child child{&request, {}};
  int pidfd = -1;
  const pid_t pid = clone(&RunChild,
                          stack_.get() + kStackBytes,
                          CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD,
                          &child,
                          &pidfd);
  const int error = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return SpawnFailure{error, false};
  Spawned spawned{pid, UniqueFd(pidfd)};
  if (child.failure.error == 0) return spawned;
  waitpid(pid, nullptr, 0);
  return child.failure;
}

}  // namespace potok::agent
