#include "tests/bench/machine.h"

#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "fmt/format.h"

namespace potok::bench {
namespace {

double MicrosPerTick() {
  return 1e6 / static_cast<double>(sysconf(_SC_CLK_TCK));
}

// The fields of /proc/PID/stat from the third on, which is after the name in brackets.
std::vector<std::string> StatOf(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string text;
  std::getline(file, text);
  const std::size_t end = text.rfind(')');
  if (end == std::string::npos) return {};
  std::istringstream words(text.substr(end + 1));
  std::vector<std::string> fields;
  for (std::string word; words >> word;) fields.push_back(word);
  return fields;
}

// Field numbers as in proc(5).
double TicksOf(const std::vector<std::string>& fields, std::size_t number) {
  return number - 3 < fields.size() ? std::stod(fields[number - 3]) : 0;
}

}  // namespace

double NowMicros() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::micro>(now).count();
}

MachineTime ReadMachineTime() {
  std::ifstream file("/proc/stat");
  std::string name;
  file >> name;
  MachineTime time;
  double ticks = 0;
  // user nice system idle iowait irq softirq steal; what follows is counted in these.
  for (int field = 0; field < 8 && file >> ticks; ++field) {
    time.total_us += ticks * MicrosPerTick();
    if (field != 3 && field != 4) time.busy_us += ticks * MicrosPerTick();
  }
  return time;
}

double BusyShare(double seconds) {
  const MachineTime before = ReadMachineTime();
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  const MachineTime after = ReadMachineTime();
  const double total = after.total_us - before.total_us;
  return total > 0 ? (after.busy_us - before.busy_us) / total : 0;
}

double WaitForQuiet(double busy_max, double seconds_max) {
  constexpr double kLookSeconds = 0.5;
  const double give_up_at = NowMicros() + seconds_max * 1e6;
  double busy = BusyShare(kLookSeconds);
  while (busy > busy_max && NowMicros() < give_up_at) busy = BusyShare(kLookSeconds);
  return busy;
}

double CpuMicrosOf(pid_t pid) {
  clockid_t clock = 0;
  timespec time = {};
  if (clock_getcpuclockid(pid, &clock) == 0 && clock_gettime(clock, &time) == 0) {
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
  }
  const std::vector<std::string> stat = StatOf(pid);
  return (TicksOf(stat, 14) + TicksOf(stat, 15)) * MicrosPerTick();
}

double CpuMicrosOfEndedChildren(pid_t pid) {
  const std::vector<std::string> stat = StatOf(pid);
  return (TicksOf(stat, 16) + TicksOf(stat, 17)) * MicrosPerTick();
}

std::vector<pid_t> ChildrenOf(pid_t pid) {
  std::vector<pid_t> children;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(fmt::format("/proc/{}/task", pid), error)) {
    std::ifstream file(entry.path() / "children");
    for (pid_t child = 0; file >> child;) children.push_back(child);
  }
  return children;
}

std::int64_t ResidentBytesOf(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/statm", pid));
  std::int64_t size = 0;
  std::int64_t resident = 0;
  file >> size >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

int CpuCount() {
  return static_cast<int>(std::thread::hardware_concurrency());
}

std::string CpuModel() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

std::string KernelRelease() {
  utsname name = {};
  return uname(&name) == 0 ? name.release : "unknown";
}

}  // namespace potok::bench
