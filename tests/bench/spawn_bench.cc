// What a start costs: bare posix_spawn of a program against an attempt under the shim, in us each,
// by the clock and in CPU time of all processes together. On a busy machine only the latter says
// something.
//
//   spawn_bench SHIM [PROGRAM [COUNT]]
//
// Not a test: figures depend on the machine and on what else it does.
#include <poll.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "agent/executor/shim_executor.h"
#include "tests/bench/machine.h"

namespace {

using potok::agent::Launch;
using potok::agent::ProcessEvent;
using potok::agent::ShimExecutor;

struct Cost {
  double wall_us = 0;
  double cpu_us = 0;
};

double CpuMicros(int who) {
  rusage usage = {};
  getrusage(who, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

Cost Now() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  double cpu_us = CpuMicros(RUSAGE_SELF) + CpuMicros(RUSAGE_CHILDREN);
  // Shims live on for the next attempt.
  for (const pid_t shim : potok::bench::ChildrenOf(getpid())) {
    cpu_us += potok::bench::CpuMicrosOf(shim) + potok::bench::CpuMicrosOfEndedChildren(shim);
  }
  return {std::chrono::duration<double, std::micro>(now).count(), cpu_us};
}

Cost Since(const Cost& start, int count) {
  const Cost now = Now();
  return {(now.wall_us - start.wall_us) / count, (now.cpu_us - start.cpu_us) / count};
}

// Keeps `parallel` processes running.
Cost Bare(const std::string& program, int count, int parallel) {
  std::string path = program;
  char* argv[] = {path.data(), nullptr};
  char* environment[] = {nullptr};
  const Cost start = Now();
  for (int started = 0, ended = 0; ended < count;) {
    while (started < count && started - ended < parallel) {
      pid_t pid = 0;
      if (posix_spawn(&pid, program.c_str(), nullptr, nullptr, argv, environment) != 0) return {};
      ++started;
    }
    waitpid(-1, nullptr, 0);
    ++ended;
  }
  return Since(start, count);
}

Cost UnderShim(ShimExecutor& executor,
               const std::string& folder,
               const Launch& model,
               int count,
               int parallel) {
  static std::int64_t run = 0;
  ++run;
  for (int i = 0; i < count; ++i) {
    std::filesystem::create_directories(folder + "/" + std::to_string(run) + "." +
                                        std::to_string(i));
  }
  const Cost start = Now();
  for (int started = 0, ended = 0; ended < count;) {
    while (started < count && started - ended < parallel) {
      Launch launch = model;
      launch.key = {run, static_cast<std::uint32_t>(started), 1};
      launch.folder = folder + "/" + std::to_string(run) + "." + std::to_string(started);
      if (const absl::Status status = executor.Start(launch); !status.ok()) {
        std::printf("%s\n", status.ToString().c_str());
        return {};
      }
      ++started;
    }
    pollfd waited = {executor.events(), POLLIN, 0};
    poll(&waited, 1, -1);
    for (const ProcessEvent& event : executor.TakeEvents()) {
      if (!event.ended.has_value()) continue;
      executor.Forget(event.key);
      ++ended;
    }
  }
  return Since(start, count);
}

void Compare(const std::string& shim,
             const std::string& isolation,
             const Launch& model,
             int count,
             const std::string& folder) {
  potok::agent::ShimExecutorOptions options;
  options.shim_path = shim;
  options.state_folder = folder + "/state";
  options.isolation = isolation;
  auto executor = ShimExecutor::Open(options);
  if (!executor.ok()) {
    std::printf("%s\n", executor.status().ToString().c_str());
    return;
  }
  Launch limited = model;
  limited.limits = {std::int64_t{1} << 30, 2000, 0};
  for (const int parallel : {1, 4}) {
    const Cost bare = Bare(model.argv[0], count, parallel);
    const Cost plain = UnderShim(**executor, folder, model, count, parallel);
    const Cost with_limits = UnderShim(**executor, folder, limited, count, parallel);
    std::printf(
        "%-10s %2d at once, wall (CPU): bare %5.0f (%4.0f), shim %5.0f (%4.0f), "
        "with limits %5.0f (%4.0f)\n",
        (*executor)->isolation().c_str(),
        parallel,
        bare.wall_us,
        bare.cpu_us,
        plain.wall_us,
        plain.cpu_us,
        with_limits.wall_us,
        with_limits.cpu_us);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::printf("usage: spawn_bench SHIM [PROGRAM [COUNT]]\n");
    return 2;
  }
  const char* base = std::getenv("TMPDIR");
  std::string folder = std::string(base == nullptr ? "/tmp" : base) + "/potok-spawn-bench-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) return 1;
  Launch model;
  model.working_directory = folder;
  model.argv = {argc > 2 ? argv[2] : "/bin/true"};
  model.timeout = absl::InfiniteDuration();
  model.grace = absl::Seconds(1);
  const int count = argc > 3 ? std::atoi(argv[3]) : 500;
  for (const char* isolation : {"none", ""}) Compare(argv[1], isolation, model, count, folder);
  std::filesystem::remove_all(folder);
  return 0;
}
