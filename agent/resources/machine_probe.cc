#include "agent/resources/machine_probe.h"

#include <sched.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>

#include "absl/strings/ascii.h"
#include "agent/resources/nvml.h"

namespace potok::agent {

namespace {

std::string FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::int64_t MemTotalBytes() {
  std::ifstream file("/proc/meminfo");
  std::string key;
  std::int64_t kib = 0;
  while (file >> key >> kib) {
    if (key == "MemTotal:") return kib * 1024;
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return 0;
}

// The path of this process in the hierarchy of `controller` (cgroups(7)): "" names version 2.
std::string CgroupPath(const std::string& controller) {
  std::ifstream file("/proc/self/cgroup");
  std::string line;
  while (std::getline(file, line)) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string names = "," + line.substr(first + 1, second - first - 1) + ",";
    const bool match = controller.empty() ? names == ",,"
                                          : names.find("," + controller + ",") != std::string::npos;
    if (match) return line.substr(second + 1);
  }
  return "/";
}

// The smallest limit between this process' cgroup and the root; "max", huge numbers and missing
// files are none.
std::int64_t SmallestLimit(const std::string& mount, std::string path, const std::string& file) {
  constexpr std::int64_t kNone = std::int64_t{1} << 60;
  std::int64_t smallest = kNone;
  while (true) {
    std::int64_t value = 0;
    if (std::istringstream(FirstLine(mount + path + "/" + file)) >> value && value > 0)
      smallest = std::min(smallest, value);
    if (path.empty() || path == "/") break;
    path.resize(path.rfind('/'));
  }
  return smallest < kNone ? smallest : 0;
}

std::int64_t MemoryBytes() {
  std::int64_t bytes = MemTotalBytes();
  for (const std::int64_t limit :
       {SmallestLimit("/sys/fs/cgroup", CgroupPath(""), "memory.max"),
        SmallestLimit("/sys/fs/cgroup/memory", CgroupPath("memory"), "memory.limit_in_bytes")}) {
    if (limit > 0) bytes = std::min(bytes, limit);
  }
  return bytes;
}

// Thousandths of CPUs by the cgroup's quota; 0: no quota.
std::int32_t QuotaMillis() {
  double quota = 0;
  double period = 0;
  if (std::istringstream(FirstLine("/sys/fs/cgroup" + CgroupPath("") + "/cpu.max")) >> quota >>
          period &&
      period > 0) {
    return static_cast<std::int32_t>(std::lround(quota / period * 1000));
  }
  const std::string v1 = "/sys/fs/cgroup/cpu" + CgroupPath("cpu");
  if (std::istringstream(FirstLine(v1 + "/cpu.cfs_quota_us")) >> quota && quota > 0 &&
      std::istringstream(FirstLine(v1 + "/cpu.cfs_period_us")) >> period && period > 0) {
    return static_cast<std::int32_t>(std::lround(quota / period * 1000));
  }
  return 0;
}

std::int32_t CpuMillis() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::int32_t millis = 1000;
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    millis = CPU_COUNT(&set) * 1000;
  } else if (const long online = sysconf(_SC_NPROCESSORS_ONLN); online > 0) {
    millis = static_cast<std::int32_t>(online) * 1000;  // more CPUs than a cpu_set_t holds
  }
  const std::int32_t quota = QuotaMillis();
  return quota > 0 ? std::min(millis, quota) : millis;
}

}  // namespace

MachineFacts ProbeMachine() {
  MachineFacts facts;
  facts.capacity.memory_bytes = MemoryBytes();
  facts.capacity.cpu_millis = CpuMillis();
  if (auto gpus = ListNvidiaGpus("libnvidia-ml.so.1"); gpus.ok()) {
    facts.gpus = *std::move(gpus);
    const std::string driver = NvidiaDriverVersion("libnvidia-ml.so.1");
    if (!driver.empty()) facts.labels["driver"] = driver;
    facts.capacity.gpu_millis = MillisOfGpus(static_cast<std::int32_t>(facts.gpus.size()));
  } else {
    facts.gpu_note = std::string(gpus.status().message());
  }
  facts.boot_id = FirstLine("/proc/sys/kernel/random/boot_id");
  if (utsname kernel{}; uname(&kernel) == 0) {
    facts.labels["os"] = absl::AsciiStrToLower(kernel.sysname);
    facts.labels["arch"] = kernel.machine;
  }
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  facts.hostname = name.data();
  return facts;
}

std::int64_t DiskToOffer(const std::string& folder) {
  struct statvfs disk {};
  if (statvfs(folder.c_str(), &disk) != 0) return 0;
  const double free_bytes = static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize);
  constexpr double kOffered = 0.95;
  return static_cast<std::int64_t>(std::min(free_bytes * kOffered, static_cast<double>(kBytesMax)));
}

}  // namespace potok::agent
