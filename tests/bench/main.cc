// potok-bench: how fast steps start and end, against the machine's own limit and make, by one run.
// What it measures and how to read it: docs/benchmarks.md.
#include <stdlib.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
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
  std::string only;  // empty: all
  std::string cpus = "0,0.125";
  std::string places;
  int steps = 0;  // 0: each workload's own
  int first_execs = 0;
  int log_megabytes = 0;
  int artifact_megabytes = 0;
  int artifact_files = 0;
  int rounds = 5;
  double busy_max = 0.1;
  double wait_seconds = 20;
  bool alone = false;
  bool quick = false;
  bool json = false;
};

constexpr const char* kHelp =
    "Measures how fast Potok starts and ends steps, on this machine.\n\n"
    "  P1  10,000 independent steps of /bin/true: steps per second\n"
    "  P2  the same of a program without C library that ends at once\n"
    "  P3  100,000 steps that are no process: an agent within this program answers at once\n"
    "  P4  a chain of 200 steps of each: from the end of one to the start of the next\n"
    "  P6  submission of 10,000 and 100,000 steps in layers: until the answer, which is durable\n"
    "  P7  10,000 steps that were made before: until the run is complete, all of it reused\n"
    "  P9  the output of a step, followed: MB and lines per second, and how late a line is\n"
    "  P10 a file of 1 GB and 10,000 of 4 KiB into the store and out of it again\n"
    "  P11 one step on a warm server: from the call or the command to its first instruction\n\n"
    "Each round measures the machine's limit (the bare start of the same program, the same rows\n"
    "in the same PostgreSQL), a peer where there is one, and Potok, one after the other; the\n"
    "first round does not count. It starts a stack of its own in a temporary folder (of TMPDIR)\n"
    "and takes it down at the end. Only the ratios of one run on a quiet machine say something;\n"
    "see docs/benchmarks.md.";

std::vector<std::string> Words(const std::string& text) {
  std::vector<std::string> words;
  std::istringstream in(text);
  for (std::string word; std::getline(in, word, ',');) words.push_back(word);
  return words;
}

std::vector<std::string> KeysOf(const Options& options) {
  return options.only.empty() ? WorkloadKeys() : Words(options.only);
}

std::vector<int> Numbers(const std::string& text) {
  std::vector<int> numbers;
  for (const std::string& word : Words(text)) numbers.push_back(std::stoi(word));
  return numbers;
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
    workloads.noop_steps = 200;
    workloads.noop_places = {16};
    workloads.submit_steps = {250};
    workloads.reuse_steps = 250;
    workloads.log_bytes = 2'000'000;
    workloads.log_lines = 10;
    workloads.artifact_bytes = 3'000'000;
    workloads.artifact_files = 20;
    workloads.first_execs = 3;
  }
  if (options.steps > 0) {
    workloads.wide_steps = workloads.chain_steps = workloads.noop_steps = options.steps;
    workloads.submit_steps = {options.steps};
    workloads.reuse_steps = options.steps;
  }
  if (!options.places.empty()) workloads.noop_places = Numbers(options.places);
  workloads.cpus.clear();
  for (const std::string& word : Words(options.cpus)) workloads.cpus.push_back(std::stod(word));
  if (options.first_execs > 0) workloads.first_execs = options.first_execs;
  if (options.log_megabytes > 0) workloads.log_bytes = options.log_megabytes * 1'000'000LL;
  if (options.artifact_megabytes > 0) {
    workloads.artifact_bytes = options.artifact_megabytes * 1'000'000LL;
  }
  if (options.artifact_files > 0) workloads.artifact_files = options.artifact_files;
  workloads.step = OwnFolder() + "/potok-bench-step";
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
  for (const std::string& key : KeysOf(options)) {
    for (Contest& contest : ContestsOf(key, workloads, *stack)) {
      if (options.alone) {
        std::erase_if(contest.contestants, [](const Contestant& contestant) {
          return contestant.name.rfind("Potok", 0) != 0;
        });
      }
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
  app.add_option("--places", options.places, "Steps of P3 at once (default 1024,8192)");
  app.add_option("--log-mb", options.log_megabytes, "Output of P9's step (default 500)");
  app.add_option("--file-mb", options.artifact_megabytes, "P10's large file (default 1000)");
  app.add_option("--files", options.artifact_files, "P10's small files (default 10000)");
  app.add_option("--runs", options.first_execs, "Runs of P11 a round (default 50)");
  app.add_option("--busy-max", options.busy_max, "Wait until less is in use (default 0.1)");
  app.add_option("--wait", options.wait_seconds, "At most so many seconds a round (default 20)");
  app.add_flag("--alone", options.alone, "Potok without limits and peers: for a profiler");
  app.add_flag("--quick", options.quick, "A few steps and no waiting: does it work?");
  app.add_flag("--json", options.json, "One object on standard output, progress on the other");
  CLI11_PARSE(app, argc, argv);
  if (options.quick) options.rounds = 1;
  const std::vector<std::string> known = WorkloadKeys();
  for (const std::string& key : KeysOf(options)) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    std::cerr << "potok-bench: there is no workload " << key << "; there are";
    for (const std::string& one : known) std::cerr << " " << one;
    std::cerr << "\n";
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
