#include "server/http/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>

namespace potok::server {

namespace {

prometheus::MetricFamily One(const char* name,
                             const char* help,
                             prometheus::MetricType type,
                             double value) {
  prometheus::MetricFamily family;
  family.name = name;
  family.help = help;
  family.type = type;
  prometheus::ClientMetric metric;
  if (type == prometheus::MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  family.metric.push_back(metric);
  return family;
}

// Field `number` (from 3) of /proc/self/stat, proc(5).
double StatField(int number) {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  const auto after_name = line.rfind(") ");
  if (after_name == std::string::npos) return 0;
  std::size_t at = after_name + 2;
  for (int field = 3; field < number; ++field) at = line.find(' ', at) + 1;
  return std::strtod(line.c_str() + at, nullptr);
}

double StartTime() {
  std::ifstream file("/proc/stat");
  std::string line;
  while (std::getline(file, line)) {
    if (line.rfind("btime ", 0) == 0) {
      const double ticks = StatField(22);
      return std::strtod(line.c_str() + 6, nullptr) +
             ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
    }
  }
  return 0;
}

}  // namespace

std::vector<prometheus::MetricFamily> ProcessMetrics::Collect() const {
  using prometheus::MetricType;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  std::error_code error;
  std::ptrdiff_t descriptors = 0;
  for (std::filesystem::directory_iterator it("/proc/self/fd", error), end; it != end;
       it.increment(error)) {
    ++descriptors;
  }
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  return {
      One("process_cpu_seconds_total",
          "CPU time of user and system.",
          MetricType::Counter,
          seconds(usage.ru_utime) + seconds(usage.ru_stime)),
      One("process_resident_memory_bytes",
          "Resident memory.",
          MetricType::Gauge,
          StatField(24) * page),
      One("process_virtual_memory_bytes", "Virtual memory.", MetricType::Gauge, StatField(23)),
      One("process_start_time_seconds", "Start, in Unix time.", MetricType::Gauge, StartTime()),
      One("process_open_fds",
          "Open file descriptors.",
          MetricType::Gauge,
          static_cast<double>(descriptors)),
      One("process_max_fds",
          "Limit of open file descriptors.",
          MetricType::Gauge,
          static_cast<double>(limit.rlim_cur)),
  };
}

}  // namespace potok::server
