#include "agent/exec/enter/namespaces.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "agent/exec/enter/control.h"

namespace potok::enter {
namespace {

struct Namespace {
  const char* name;
  int flag;
};
// But for those of users.
constexpr Namespace kNamespaces[] = {{"ipc", CLONE_NEWIPC},
                                     {"uts", CLONE_NEWUTS},
                                     {"net", CLONE_NEWNET},
                                     {"cgroup", CLONE_NEWCGROUP},
                                     {"pid", CLONE_NEWPID},
                                     {"mnt", CLONE_NEWNS}};

std::string PathOf(pid_t pid, const std::string& name) {
  return "/proc/" + std::to_string(pid) + "/ns/" + name;
}

bool IsOther(pid_t pid, const std::string& name) {
  struct stat own {};
  struct stat its {};
  if (stat(("/proc/self/ns/" + name).c_str(), &own) != 0) return false;
  if (stat(PathOf(pid, name).c_str(), &its) != 0) Fail("its sandbox cannot be looked at");
  return own.st_ino != its.st_ino || own.st_dev != its.st_dev;
}

pid_t FirstChildOf(pid_t pid) {
  const std::string number = std::to_string(pid);
  std::ifstream children("/proc/" + number + "/task/" + number + "/children");
  pid_t child = 0;
  children >> child;
  return child;
}

// bwrap's own process, below it the first of the sandbox, below that the command.
pid_t CommandOf(pid_t sandbox) {
  const pid_t first = FirstChildOf(sandbox);
  return first == 0 ? 0 : FirstChildOf(first);
}

// A sandbox of a user without rights has two namespaces of users, one in the other, and the outer
// one owns all others: it must be entered before them. True if there are two; it is entered then.
bool EnterOuterUsers(pid_t pid) {
  const int ipc = open(PathOf(pid, "ipc").c_str(), O_RDONLY | O_CLOEXEC);
  const int owner = ipc < 0 ? -1 : ioctl(ipc, NS_GET_USERNS);
  if (owner < 0) Fail("the owner of its sandbox cannot be found");
  struct stat outer {};
  struct stat inner {};
  if (fstat(owner, &outer) != 0 || stat(PathOf(pid, "user").c_str(), &inner) != 0) {
    Fail("the users of its sandbox cannot be looked at");
  }
  const bool has_two = outer.st_ino != inner.st_ino;
  if (has_two && setns(owner, CLONE_NEWUSER) != 0) Fail("its sandbox's users cannot be joined");
  close(ipc);
  close(owner);
  return has_two;
}

void Join(int process, int flags) {
  if (setns(process, flags) != 0) Fail("its sandbox cannot be entered");
}

}  // namespace

void EnterSandbox(pid_t sandbox) {
  const pid_t pid = CommandOf(sandbox);
  const int process = pid == 0 ? -1 : static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  // Its number is its own for as long as it is found there.
  if (process < 0 || CommandOf(sandbox) != pid) {
    FailSaying("the command in the sandbox has not begun, or has ended");
  }
  int flags = 0;
  for (const Namespace& one : kNamespaces) {
    if (IsOther(pid, one.name)) flags |= one.flag;
  }
  if ((flags & CLONE_NEWNS) == 0) FailSaying("the command's sandbox is not set up yet");
  if (!IsOther(pid, "user")) {
    Join(process, flags);
  } else if (EnterOuterUsers(pid)) {
    Join(process, flags);
    Join(process, CLONE_NEWUSER);
  } else {
    Join(process, flags | CLONE_NEWUSER);
  }
  pollfd ended{process, POLLIN, 0};
  if (poll(&ended, 1, 0) != 0) FailSaying("the command in the sandbox has ended");
  close(process);
}

}  // namespace potok::enter
