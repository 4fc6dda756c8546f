#include "agent/executor/process_tree.h"

#include <dirent.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
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

constexpr int kChildrenDepthMax = 64;

std::vector<std::int64_t> NumbersIn(const std::string& text) {
  std::vector<std::int64_t> numbers;
  std::istringstream words(text);
  for (std::int64_t number = 0; words >> number;) numbers.push_back(number);
  return numbers;
}

// Fields of proc_pid_stat(5) behind the name, of which the first is the third: utime, stime, and of
// children that were waited for.
absl::Duration CpuTimeOf(pid_t pid) {
  constexpr int kFirst = 11;
  const auto text = ReadSmallFile("/proc/" + std::to_string(pid) + "/stat");
  if (!text.ok()) return absl::ZeroDuration();
  const auto name_end = text->rfind(')');
  if (name_end == std::string::npos) return absl::ZeroDuration();
  std::istringstream fields(text->substr(name_end + 1));
  std::string skipped;
  for (int i = 0; i < kFirst; ++i) fields >> skipped;
  std::int64_t ticks = 0;
  for (std::int64_t value = 0, i = 0; i < 4 && fields >> value; ++i) ticks += value;
  return absl::Seconds(1) * ticks / sysconf(_SC_CLK_TCK);
}

// Of a tree: pages of their own add up, those that may be shared count as the largest share.
struct TreeMemory {
  std::int64_t own_pages = 0;
  std::int64_t shared_pages_max = 0;
};

void AddTree(pid_t pid, int depth, TreeMemory* memory, absl::Duration* cpu_time) {
  // proc_pid_statm(5): size resident shared ...
  const auto text = ReadSmallFile("/proc/" + std::to_string(pid) + "/statm");
  if (!text.ok() || depth > kChildrenDepthMax) return;
  const std::vector<std::int64_t> pages = NumbersIn(*text);
  if (pages.size() >= 3) {
    memory->own_pages += pages[1] - pages[2];
    memory->shared_pages_max = std::max(memory->shared_pages_max, pages[2]);
  }
  *cpu_time += CpuTimeOf(pid);
  for (const pid_t child : ChildrenOf(pid)) AddTree(child, depth + 1, memory, cpu_time);
}

}  // namespace

std::vector<pid_t> ChildrenOf(pid_t pid) {
  std::vector<pid_t> children;
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir(tasks.c_str()), &closedir);
  if (folder == nullptr) return children;
  while (const dirent* entry = readdir(folder.get())) {
    if (entry->d_name[0] == '.') continue;
    const auto text = ReadSmallFile(tasks + "/" + entry->d_name + "/children");
    if (!text.ok()) continue;
    for (const std::int64_t child : NumbersIn(*text)) {
      children.push_back(static_cast<pid_t>(child));
    }
  }
  return children;
}

ProcessesUsage UsageOfTrees(const std::vector<pid_t>& roots) {
  ProcessesUsage usage;
  TreeMemory memory;
  for (const pid_t pid : roots) AddTree(pid, 0, &memory, &usage.cpu_time);
  usage.memory_bytes = (memory.own_pages + memory.shared_pages_max) * sysconf(_SC_PAGESIZE);
  return usage;
}

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
