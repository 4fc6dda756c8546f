// bench_placement: how much of a cluster's GPUs the placement rule gives out. See
// docs/benchmarks.md.
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "tests/bench/placement/experiment.h"
#include "tests/bench/placement/placer.h"
#include "tests/bench/placement/trace.h"

namespace potok::bench {

namespace {

struct Options {
  std::string nodes;
  std::string pods;
  std::string seeds = "42-51";
  std::string policy = "potok";
  bool time = false;
};

// From "42-51", "42" or "42,44,50-51".
absl::StatusOr<std::vector<std::uint64_t>> ParseSeeds(const std::string& text) {
  std::vector<std::uint64_t> seeds;
  const std::vector<std::string> parts = absl::StrSplit(text, ',');
  for (const std::string& part : parts) {
    const std::vector<std::string> ends = absl::StrSplit(part, '-');
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    const bool is_good = ends.size() <= 2 && absl::SimpleAtoi(ends.front(), &first) &&
                         absl::SimpleAtoi(ends.back(), &last) && first <= last &&
                         last - first < 10'000;
    if (!is_good) {
      return absl::InvalidArgumentError(
          fmt::format("--seeds '{}': give numbers or ranges such as 42-51 or 42,44", text));
    }
    for (std::uint64_t seed = first; seed <= last; ++seed) seeds.push_back(seed);
  }
  return seeds;
}

absl::StatusOr<std::vector<std::string>> PoliciesOf(const std::string& text) {
  const std::vector<std::string> all = PlacerNames();
  if (text == "all") return all;
  for (const std::string& name : all) {
    if (name == text) return std::vector<std::string>{name};
  }
  return absl::InvalidArgumentError(
      fmt::format("--policy '{}': give one of {} or all", text, fmt::join(all, ", ")));
}

// From the paper's repository: the share at the end, in percent, and of FGD that at 100 %.
void PrintPaper(const std::string& pods) {
  if (pods.ends_with("openb_pod_list_default.csv")) {
    std::puts(
        "the paper's, at 130 %: Random 87.47, DotProd 90.85, GpuClustering 91.88, GpuPacking "
        "92.00, "
        "BestFit 93.08, FGD 95.39; FGD at 100 %: 95.23");
  } else if (pods.ends_with("openb_pod_list_gpuspec33.csv")) {
    std::puts(
        "the paper's, at 130 %: Random 86.46, DotProd 89.14, GpuClustering 92.12, GpuPacking "
        "93.22, "
        "BestFit 93.09, FGD 94.55; FGD at 100 %: 87.84");
  }
}

Allocated RunSeeds(const Workload& workload,
                   const std::string& policy,
                   const std::vector<std::uint64_t>& seeds) {
  Allocated sum;
  for (const std::uint64_t seed : seeds) {
    const Allocated once = RunOnce(workload, policy, seed);
    fmt::print("{:<10} {:>6} {:>8.2f} {:>8.2f}\n", policy, seed, once.at_full, once.at_end);
    std::fflush(stdout);
    sum.at_full += once.at_full;
    sum.at_end += once.at_end;
  }
  const auto count = static_cast<double>(seeds.size());
  return {sum.at_full / count, sum.at_end / count};
}

absl::Status Experiment(const Workload& workload, const Options& options) {
  POTOK_ASSIGN_OR_RETURN(const std::vector<std::uint64_t> seeds, ParseSeeds(options.seeds));
  POTOK_ASSIGN_OR_RETURN(const std::vector<std::string> policies, PoliciesOf(options.policy));
  std::puts("allocated share of GPU capacity in percent, when 100 % and 130 % of it has arrived");
  fmt::print("{:<10} {:>6} {:>8} {:>8}\n", "policy", "seed", "100 %", "130 %");
  std::map<std::string, Allocated> means;
  for (const std::string& policy : policies) {
    means[policy] = RunSeeds(workload, policy, seeds);
  }
  for (const std::string& policy : policies) {
    const Allocated& mean = means.at(policy);
    fmt::print("{:<10} {:>6} {:>8.2f} {:>8.2f}\n", policy, "mean", mean.at_full, mean.at_end);
  }
  if (policies.size() > 1) std::puts("potok* has read the whole list of tasks in advance");
  PrintPaper(options.pods);
  fmt::print("{:.2f}\n", means.at(policies.front()).at_end);
  return absl::OkStatus();
}

absl::Status TimeIt(const Workload& workload, const Options& options) {
  POTOK_ASSIGN_OR_RETURN(const std::vector<std::uint64_t> seeds, ParseSeeds(options.seeds));
  POTOK_ASSIGN_OR_RETURN(const std::vector<std::string> policies, PoliciesOf(options.policy));
  std::puts("microseconds a decision, over the whole experiment");
  fmt::print("{:<10} {:>8} {:>9} {:>8} {:>8} {:>8} {:>9}\n",
             "policy",
             "machines",
             "decisions",
             "mean",
             "p50",
             "p99",
             "most");
  for (const std::string& policy : policies) {
    for (const std::size_t machines :
         {workload.machines.size(), std::size_t{5000}, std::size_t{10'000}}) {
      const DecisionTimes times = TimeDecisions(workload, policy, machines, seeds.front());
      fmt::print("{:<10} {:>8} {:>9} {:>8.2f} {:>8.2f} {:>8.2f} {:>9.1f}\n",
                 policy,
                 machines,
                 times.decisions,
                 times.mean,
                 times.p50,
                 times.p99,
                 times.most);
      std::fflush(stdout);
    }
  }
  return absl::OkStatus();
}

absl::Status Run(const Options& options) {
  Workload workload;
  POTOK_ASSIGN_OR_RETURN(workload.machines, ReadNodes(options.nodes));
  POTOK_ASSIGN_OR_RETURN(workload.requests, ReadPods(options.pods));
  return options.time ? TimeIt(workload, options) : Experiment(workload, options);
}

}  // namespace

}  // namespace potok::bench

int main(int argc, char** argv) {
  potok::bench::Options options;
  CLI::App app("How much of a cluster's GPUs the placement rule gives out, in percent");
  app.add_option("--nodes", options.nodes, "CSV of machines: sn,cpu_milli,memory_mib,gpu,model")
      ->required();
  app.add_option("--pods",
                 options.pods,
                 "CSV of tasks: cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec and others")
      ->required();
  app.add_option("--seeds", options.seeds, "orders of arrival: 42-51, or 42,44");
  app.add_option(
      "--policy", options.policy, "potok, potok*, scheduler, fgd, best_fit, random or all");
  app.add_flag("--time",
               options.time,
               "print the time of a decision instead, at the list's machines, 5,000 and 10,000");
  CLI11_PARSE(app, argc, argv);
  const absl::Status status = potok::bench::Run(options);
  if (status.ok()) return 0;
  fmt::print(stderr, "bench_placement: {}\n", std::string(status.message()));
  return 1;
}
