// potok-loadgen: a cluster of simulated machines and a queue of many steps against a real server.
// What it shows and how to read it: docs/benchmarks.md.
#include <stdlib.h>
#include <sys/resource.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <thread>

#include "client/potok_client/runs_client.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "tests/bench/load_agent.h"
#include "tests/bench/machine.h"
#include "tests/bench/stack.h"

namespace potok::bench {
namespace {

constexpr const char* kHelp =
    "Connects simulated machines, queues steps of mixed shapes for them, and lets attempts end.\n\n"
    "It prints the server's memory before and after (so, per machine and per queued step), what\n"
    "heartbeats cost, how long a place that becomes free stays free at a given rate, and how many\n"
    "steps are placed per second when every attempt ends at once. It starts a stack of its own in\n"
    "a temporary folder (of TMPDIR), which it takes down at the end. One of 5,000 machines wants\n"
    "10,000 open files (ulimit -n) of this program and of the server.";

constexpr const char* kPool = "load";
constexpr std::int64_t kGib = std::int64_t{1} << 30;

struct Options {
  std::string bin;
  int agents = 5000;
  int cpus = 4;  // of each; and 4 GiB for each of them
  int steps = 1'000'000;
  int steps_of_run = 10'000;
  double idle_seconds = 10;
  double rate = 2000;
  double paced_seconds = 10;
  double fast_seconds = 10;
};

// Every shape fits beside others, and none divides a machine evenly.
struct LoadShape {
  int cpu_millis = 0;
  std::int64_t memory_bytes = 0;
};
constexpr LoadShape kShapes[] = {{250, kGib / 2},
                                 {500, kGib},
                                 {750, 3 * kGib},
                                 {1000, 2 * kGib},
                                 {1500, kGib},
                                 {2000, 8 * kGib},
                                 {3000, 4 * kGib}};

v1::PipelineSpec SpecOf(int steps) {
  v1::PipelineSpec spec;
  spec.set_is_pipeline(true);
  spec.set_experiment_name("load");
  spec.mutable_settings()->set_force_rerun(true);
  spec.mutable_settings()->set_default_compute(kPool);
  for (int i = 0; i < steps; ++i) {
    const LoadShape& shape = kShapes[static_cast<std::size_t>(i) % std::size(kShapes)];
    v1::Step& step = *spec.add_steps();
    step.set_name(fmt::format("s{}", i));
    step.set_command("none");
    step.mutable_resources()->set_cpu_millis(shape.cpu_millis);
    step.mutable_resources()->set_memory_bytes(shape.memory_bytes);
  }
  return spec;
}

double Mib(std::int64_t bytes) {
  return static_cast<double>(bytes) / (1 << 20);
}
double SecondsSince(double micros) {
  return (NowMicros() - micros) / 1e6;
}
void SleepUntil(double micros) {
  const double left = micros - NowMicros();
  if (left > 0) std::this_thread::sleep_for(std::chrono::duration<double, std::micro>(left));
}

class Load {
 public:
  Load(const Options& options, Stack& stack) : options_(options), stack_(stack) {}
  ~Load() {
    beating_ = false;
    if (heart_.joinable()) heart_.join();
  }

  absl::Status Run() {
    POTOK_RETURN_IF_ERROR(Connect());
    MeasureHeartbeats();
    POTOK_RETURN_IF_ERROR(Queue());
    MeasureRefill();
    MeasureRate();
    if (counts_.broken == 0) return absl::OkStatus();
    return absl::InternalError(
        fmt::format("{} of {} machines lost their stream", counts_.broken, options_.agents));
  }

 private:
  absl::Status Connect() {
    const std::int64_t before = stack_.ServerMemory();
    const double began = NowMicros();
    for (int i = 0; i < options_.agents; ++i) {
      const LoadMachine machine{
          fmt::format("load-{}", i), kPool, options_.cpus, options_.cpus * 4 * kGib};
      agents_.push_back(std::make_unique<LoadAgent>(stack_.address(), machine, counts_));
    }
    for (const auto& agent : agents_) POTOK_RETURN_IF_ERROR(agent->WaitForWelcome());
    heart_ = std::thread([this] { Beat(); });
    const std::int64_t after = stack_.ServerMemory();
    fmt::print("{} machines connected in {:.1f} s; server {:.0f} -> {:.0f} MiB, {:.0f} KiB each\n",
               options_.agents,
               SecondsSince(began),
               Mib(before),
               Mib(after),
               Mib(after - before) * 1024 / options_.agents);
    return absl::OkStatus();
  }

  // Each machine every five seconds, evenly.
  void Beat() {
    const double interval = 5e6 / options_.agents;
    double next = NowMicros();
    while (beating_) {
      for (const auto& agent : agents_) {
        if (!beating_) return;
        agent->Beat();
        SleepUntil(next += interval);
      }
    }
  }

  void MeasureHeartbeats() {
    const StackCpu before = stack_.ReadCpu();
    const double began = NowMicros();
    SleepUntil(began + options_.idle_seconds * 1e6);
    const double wall = NowMicros() - began;
    const StackCpu after = stack_.ReadCpu();
    fmt::print("heartbeats: {:.1f} % of a CPU in the server, {:.1f} % in PostgreSQL\n",
               100 * (after.server - before.server) / wall,
               100 * (after.postgres - before.postgres) / wall);
  }

  absl::Status Queue() {
    const std::int64_t before = stack_.ServerMemory();
    const double began = NowMicros();
    const v1::PipelineSpec spec = SpecOf(options_.steps_of_run);
    client::RunsClient runs(stack_.channel());
    int steps = 0;
    for (; steps < options_.steps; steps += options_.steps_of_run) {
      POTOK_RETURN_IF_ERROR(runs.Create(spec, "potok-loadgen").status());
    }
    const double took = SecondsSince(began);
    const std::int64_t after = stack_.ServerMemory();
    fmt::print(
        "{} steps submitted in {:.1f} s, {} of them placed; server {:.0f} -> {:.0f} MiB, "
        "{:.0f} bytes a step\n",
        steps,
        took,
        counts_.ordered.load(),
        Mib(before),
        Mib(after),
        static_cast<double>(after - before) / steps);
    return absl::OkStatus();
  }

  // One place after the other becomes free, so many a second.
  void MeasureRefill() {
    const double began = NowMicros();
    const double end = began + options_.paced_seconds * 1e6;
    double next = began;
    std::size_t agent = 0;
    while (NowMicros() < end) {
      agents_[agent++ % agents_.size()]->EndOne();
      SleepUntil(next += 1e6 / options_.rate);
    }
    const MutexLock lock(counts_.mutex);
    std::vector<double>& took = counts_.refill_us;
    std::sort(took.begin(), took.end());
    const auto at = [&](double part) {
      return took.empty()
                 ? 0
                 : took[static_cast<std::size_t>(part * static_cast<double>(took.size() - 1))];
    };
    fmt::print(
        "at {:.0f} ends a second: {:.0f} orders a second; from an end to the machine's next "
        "order {:.2f} ms p50, {:.2f} ms p99 ({} seen)\n",
        options_.rate,
        static_cast<double>(took.size()) / SecondsSince(began),
        at(0.5) / 1000,
        at(0.99) / 1000,
        took.size());
  }

  void MeasureRate() {
    counts_.ends_at_once = true;
    for (const auto& agent : agents_) agent->EndAll();
    const StackCpu before = stack_.ReadCpu();
    const std::int64_t ordered = counts_.ordered;
    const double began = NowMicros();
    SleepUntil(began + options_.fast_seconds * 1e6);
    const double seconds = SecondsSince(began);
    const auto placed = static_cast<double>(counts_.ordered - ordered);
    const StackCpu after = stack_.ReadCpu();
    counts_.ends_at_once = false;
    fmt::print(
        "ending at once: {:.0f} steps placed a second; {:.1f} us of the server's CPU and "
        "{:.1f} of PostgreSQL's a step\n",
        placed / seconds,
        (after.server - before.server) / std::max(placed, 1.0),
        (after.postgres - before.postgres) / std::max(placed, 1.0));
  }

  const Options& options_;
  Stack& stack_;
  LoadCounts counts_;
  std::vector<std::unique_ptr<LoadAgent>> agents_;
  std::atomic<bool> beating_ = true;
  std::thread heart_;
};

absl::Status RunIn(const Options& options, const std::string& folder) {
  POTOK_ASSIGN_OR_RETURN(const std::unique_ptr<Stack> stack, Stack::Start(options.bin, folder));
  fmt::print("{} CPUs, {}, Linux {}\n", CpuCount(), CpuModel(), KernelRelease());
  return Load(options, *stack).Run();
}

absl::Status CheckOpenFiles(const Options& options) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const auto needed = static_cast<rlim_t>(options.agents) * 2 + 500;
  if (limit.rlim_cur >= needed) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      fmt::format("{} machines need {} open files, and {} are allowed; raise it with ulimit -n, or "
                  "take fewer --agents",
                  options.agents,
                  needed,
                  limit.rlim_cur));
}

int Main(int argc, char** argv) {
  Options options;
  std::error_code ignored;
  options.bin = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path().string();
  CLI::App app(kHelp, "potok-loadgen");
  app.add_option("--bin", options.bin, "Folder of the programs (default: this program's)");
  app.add_option("--agents", options.agents, "Machines (default 5000)")
      ->check(CLI::Range(1, 100'000));
  app.add_option("--cpus", options.cpus, "CPUs of each, with 4 GiB a CPU (default 4)")
      ->check(CLI::Range(3, 1000));
  app.add_option("--steps", options.steps, "Steps to queue (default 1000000)")
      ->check(CLI::Range(1, 100'000'000));
  app.add_option("--steps-of-run", options.steps_of_run, "Steps of one run (default 10000)")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--idle", options.idle_seconds, "Seconds of heartbeats alone (default 10)");
  app.add_option("--rate", options.rate, "Ends a second of the paced part (default 2000)")
      ->check(CLI::Range(1.0, 1e6));
  app.add_option("--paced", options.paced_seconds, "Seconds of the paced part (default 10)");
  app.add_option("--fast", options.fast_seconds, "Seconds of ending at once (default 10)");
  CLI11_PARSE(app, argc, argv);
  absl::Status ran = CheckOpenFiles(options);
  if (ran.ok()) {
    const char* base = std::getenv("TMPDIR");
    std::string folder = std::string(base == nullptr ? "/tmp" : base) + "/potok-load-XXXXXX";
    ran = mkdtemp(folder.data()) == nullptr
              ? absl::UnavailableError(fmt::format(
                    "cannot make a folder {}; set TMPDIR to one that can be written", folder))
              : RunIn(options, folder);
    std::filesystem::remove_all(folder, ignored);
  }
  if (ran.ok()) return 0;
  std::cerr << "potok-loadgen: " << std::string(ran.message()) << "\n";
  return 1;
}

}  // namespace
}  // namespace potok::bench

int main(int argc, char** argv) {
  return potok::bench::Main(argc, argv);
}
