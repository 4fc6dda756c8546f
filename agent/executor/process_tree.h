// Processes where there are no cgroups to ask: what they use, and ending those that no shim watches
// any more.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "absl/time/time.h"

namespace potok::agent {

// False for zombies, too.
bool IsRunning(pid_t pid);

struct ProcessesUsage {
  std::int64_t memory_bytes = 0;  // held by all of them together, what they share counted once
  absl::Duration cpu_time;        // of those that live, and of those that they waited for
};
// Of these processes and of all their descendants. What has ended meanwhile is left out.
ProcessesUsage UsageOfTrees(const std::vector<pid_t>& roots);

// The children of a process, proc_pid_task_tid_children(5).
std::vector<pid_t> ChildrenOf(pid_t pid);

// Sends SIGKILL to all descendants of process `shim` but not to itself, and to all members of
// process group `group` unless that is 0. True if there was none alive. Reads all of /proc.
//
// What has left the group and outlived the shim is not found.
bool KillTreeOf(pid_t shim, pid_t group);

}  // namespace potok::agent
