// potok-bench: how fast steps start and end, against the machine's own limit and make, by one run.
// What it measures and how to read it: docs/benchmarks.md.
#include <stdlib.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <filesystem>
#include <iostream>
#include <sstream>

#include "client/cli/text/value.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "tests/bench/bare.h"
#include "tests/bench/machine.h"
#include "tests/bench/stack.h"
#include "tests/bench/workload.h"

namespace potok::bench {
namespace {

struct Options {
  std::string bin;
  std::string only = "P1,P2,P4";
  std::string cpus = "0,0.125";
  int steps = 0;  // 0: each workload's own
  int rounds = 5;
  double busy_max = 0.1;
  double wait_seconds = 20;
  bool quick = false;
  bool json = false;
};

constexpr const char* kHelp =
    "Measures how fast Potok starts and ends steps, on this machine.\n\n"
    "  P1  10,000 independent steps of /bin/true: steps per second\n"
    "  P2  the same of a program without C library that ends at once\n"
    "  P4  a chain of 200 steps of each: from the end of one to the start of the next\n\n"
    "Each round measures the bare start of the same program (the limit), make (if it is there) "
    "and\n"
    "Potok, one after the other; the first round does not count. It starts a stack of its own\n"
    "in a temporary folder (of TMPDIR) and takes it down at the end. Only the ratios of one run\n"
    "on a quiet machine say something; see docs/benchmarks.md.";

std::vector<std::string> Words(const std::string& text) {
  std::vector<std::string> words;
  std::istringstream in(text);
  for (std::string word; std::getline(in, word, ',');) words.push_back(word);
  return words;
}

std::string OwnFolder() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).parent_path().string();
}

// A new folder of a short name: the paths of sockets below it are limited (unix(7)).
absl::StatusOr<std::string> NewFolder() {
  const char* base = std::getenv("TMPDIR");
  std::string folder = std::string(base == nullptr ? "/tmp" : base) + "/potok-bench-XXXXXX";
  if (mkdtemp(folder.data()) != nullptr) return folder;
  return absl::UnavailableError(
      fmt::format("cannot make a folder {}; set TMPDIR to one that can be written", folder));
}

WorkloadOptions WorkloadsOf(const Options& options, const std::string& folder) {
  WorkloadOptions workloads;
  if (options.quick) {
    workloads.wide_steps = 20;
    workloads.chain_steps = 5;
  }
  if (options.steps > 0) workloads.wide_steps = workloads.chain_steps = options.steps;
  workloads.cpus.clear();
  for (const std::string& word : Words(options.cpus)) workloads.cpus.push_back(std::stod(word));
  workloads.tiny = OwnFolder() + "/potok-bench-tiny";
  workloads.folder = folder;
  workloads.with_make = HasMake();
  return workloads;
}

void Tell(const Options& options, const std::string& line) {
  (options.json ? std::cerr : std::cout) << line << std::endl;
}

absl::Status Measure(const Options& options, const std::string& folder) {
  POTOK_ASSIGN_OR_RETURN(const std::unique_ptr<Stack> stack, Stack::Start(options.bin, folder));
  const WorkloadOptions workloads = WorkloadsOf(options, folder);
  POTOK_ASSIGN_OR_RETURN(const std::string isolation, stack->Isolation());
  const std::string machine = fmt::format(
      "{} CPUs, {}, Linux {}, isolation {}", CpuCount(), CpuModel(), KernelRelease(), isolation);
  Tell(options, machine);
  if (!workloads.with_make) Tell(options, "make is not installed: measured without it");
  const Gate gate{options.busy_max, options.quick ? 0 : options.wait_seconds};
  const auto tell = [&](const std::string& line) { Tell(options, line); };
  client::Array results;
  for (const std::string& key : Words(options.only)) {
    for (Contest& contest : ContestsOf(key, workloads, *stack)) {
      POTOK_RETURN_IF_ERROR(Hold(contest, options.rounds, gate, tell));
      if (!options.json) std::cout << TextOf(contest) << std::endl;
      results.push_back(ObjectOf(contest));
    }
  }
  if (options.json) {
    std::cout << client::ToJson(
        client::Object{{"machine", machine}, {"contests", std::move(results)}});
  }
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  Options options;
  options.bin = OwnFolder();
  CLI::App app(kHelp, "potok-bench");
  app.add_option("--bin", options.bin, "Folder of the programs (default: this program's)");
  app.add_option("--only", options.only, "Workloads, as P1,P4 (default: all)");
  app.add_option("--steps", options.steps, "Steps of every workload (default: its own)");
  app.add_option("--rounds", options.rounds, "Rounds that count (default 5)");
  app.add_option(
      "--cpus", options.cpus, "CPUs that a wide step asks for, each; 0: nothing (default 0,0.125)");
  app.add_option("--busy-max", options.busy_max, "Wait until less is in use (default 0.1)");
  app.add_option("--wait", options.wait_seconds, "At most so many seconds a round (default 20)");
  app.add_flag("--quick", options.quick, "A few steps and no waiting: does it work?");
  app.add_flag("--json", options.json, "One object on standard output, progress on the other");
  CLI11_PARSE(app, argc, argv);
  if (options.quick) options.rounds = 1;
  for (const std::string& key : Words(options.only)) {
    if (key == "P1" || key == "P2" || key == "P4") continue;
    std::cerr << "potok-bench: there is no workload " << key << "; there are P1, P2, P4\n";
    return 2;
  }
  const absl::StatusOr<std::string> folder = NewFolder();
  const absl::Status measured = folder.ok() ? Measure(options, *folder) : folder.status();
  std::error_code ignored;
  if (folder.ok()) std::filesystem::remove_all(*folder, ignored);
  if (measured.ok()) return 0;
  std::cerr << "potok-bench: " << std::string(measured.message()) << "\n";
  return 1;
}

}  // namespace
}  // namespace potok::bench

int main(int argc, char** argv) {
  return potok::bench::Main(argc, argv);
}
