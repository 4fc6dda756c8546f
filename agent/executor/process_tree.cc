#include "agent/executor/process_tree.h"

#include <dirent.h>
#include <signal.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <sstream>
#include <string>

#include "agent/executor/small_files.h"

namespace potok::agent {
namespace {

struct Process {
  pid_t parent = 0;
  pid_t group = 0;
  bool alive = false;
};

// proc(5), stat: pid (name) state parent group ...; the name may hold any character.
Process ReadProcess(const std::string& pid) {
  Process process;
  const auto text = ReadSmallFile("/proc/" + pid + "/stat");
  if (!text.ok()) return process;
  const auto name_end = text->rfind(')');
  if (name_end == std::string::npos) return process;
  std::istringstream fields(text->substr(name_end + 1));
  char state = 0;
  fields >> state >> process.parent >> process.group;
  process.alive = state != 'Z' && state != 'X';
  return process;
}

std::map<pid_t, Process> ReadProcesses() {
  std::map<pid_t, Process> processes;
  const std::unique_ptr<DIR, int (*)(DIR*)> proc(opendir("/proc"), &closedir);
  if (proc == nullptr) return processes;
  while (const dirent* entry = readdir(proc.get())) {
    const pid_t pid = std::atoi(entry->d_name);
    if (pid > 0) processes[pid] = ReadProcess(entry->d_name);
  }
  return processes;
}

bool DescendsFrom(const std::map<pid_t, Process>& processes, pid_t pid, pid_t ancestor) {
  // Not more steps than processes: the snapshot was not taken at one moment.
  for (std::size_t steps = 0; steps < processes.size(); ++steps) {
    const auto at = processes.find(pid);
    if (at == processes.end()) return false;
    pid = at->second.parent;
    if (pid == ancestor) return true;
  }
  return false;
}

}  // namespace

bool IsRunning(pid_t pid) {
  return ReadProcess(std::to_string(pid)).alive;
}

bool KillTreeOf(pid_t shim, pid_t group) {
  bool none = true;
  const auto processes = ReadProcesses();
  for (const auto& [pid, process] : processes) {
    if (pid == shim || !process.alive) continue;
    const bool in_group = group != 0 && process.group == group;
    if (!in_group && !DescendsFrom(processes, pid, shim)) continue;
    none = false;
    kill(pid, SIGKILL);
  }
  return none;
}

}  // namespace potok::agent
