#include "tests/bench/bare.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "fmt/format.h"
#include "tests/bench/machine.h"

extern char** environ;

namespace potok::bench {
namespace {

double ChildCpuMicros() {
  rusage usage = {};
  getrusage(RUSAGE_CHILDREN, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

// Only bare system calls between vfork and exec; the strings are made before. Not inlined, because
// the child returns into this frame's memory.
[[gnu::noinline]] pid_t Start(const char* program, char* const* argv, char* const* environment) {
  const pid_t pid = vfork();
  if (pid == 0) {
    execve(program, argv, environment);
    _exit(127);
  }
  return pid;
}

// False if it did not end with 0.
bool StartAndWait(const std::string& program, std::vector<double>* latency_us) {
  std::string path = program;
  char* argv[] = {path.data(), nullptr};
  char* environment[] = {nullptr};
  const double began = NowMicros();
  const pid_t pid = Start(program.c_str(), argv, environment);
  int status = 0;
  if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) return false;
  latency_us->push_back(NowMicros() - began);
  return true;
}

absl::Status WriteMakefile(const std::string& path,
                           const std::string& program,
                           int count,
                           bool is_chain) {
  std::ofstream file(path);
  file << ".PHONY: all";
  for (int i = 0; i < count; ++i) file << " s" << i;
  file << "\nall:";
  for (int i = 0; i < count; ++i) file << " s" << i;
  file << "\n";
  for (int i = 0; i < count; ++i) {
    file << "s" << i << ":";
    if (is_chain && i > 0) file << " s" << i - 1;
    file << "\n\t@" << program << "\n";
  }
  file.close();
  if (file.good()) return absl::OkStatus();
  return absl::UnavailableError(fmt::format("cannot write the Makefile {}", path));
}

}  // namespace

absl::StatusOr<Run> StartBare(const std::string& program, int count, int at_once) {
  std::vector<std::vector<double>> latencies(static_cast<std::size_t>(at_once));
  std::atomic<int> left = count;
  std::atomic<bool> failed = false;
  const double cpu_before = ChildCpuMicros();
  const double began = NowMicros();
  std::vector<std::thread> threads;
  for (std::vector<double>& latency : latencies) {
    threads.emplace_back([&, own = &latency] {
      while (left.fetch_sub(1) > 0 && !failed) {
        if (!StartAndWait(program, own)) failed = true;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  Run run;
  run.wall_us = NowMicros() - began;
  run.child_cpu_us = ChildCpuMicros() - cpu_before;
  if (failed) return absl::InternalError(fmt::format("{} did not end with 0", program));
  for (const std::vector<double>& latency : latencies) {
    run.latency_us.insert(run.latency_us.end(), latency.begin(), latency.end());
  }
  return run;
}

absl::StatusOr<double> RunToZero(std::vector<std::string> words) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  // Its words would stand in the middle of the figures.
  posix_spawn_file_actions_t silently;
  posix_spawn_file_actions_init(&silently);
  posix_spawn_file_actions_addopen(&silently, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  const double began = NowMicros();
  pid_t pid = 0;
  int status = -1;
  if (posix_spawnp(&pid, argv[0], &silently, nullptr, argv.data(), environ) == 0) {
    waitpid(pid, &status, 0);
  }
  posix_spawn_file_actions_destroy(&silently);
  if (status != 0) return absl::InternalError(fmt::format("{} did not end with 0", words[0]));
  return NowMicros() - began;
}

bool HasMake() {
  return access("/usr/bin/make", X_OK) == 0;
}

absl::StatusOr<Run> StartByMake(
    const std::string& program, int count, int at_once, bool is_chain, const std::string& folder) {
  const std::string path = folder + "/Makefile";
  if (absl::Status written = WriteMakefile(path, program, count, is_chain); !written.ok()) {
    return written;
  }
  const double cpu_before = ChildCpuMicros();
  const auto wall_us = RunToZero({"make", fmt::format("-j{}", at_once), "-s", "-f", path, "all"});
  if (!wall_us.ok()) return wall_us.status();
  return Run{*wall_us, ChildCpuMicros() - cpu_before, {}};
}

}  // namespace potok::bench
