// The workloads of the suite, each as contests of the limit, peers and Potok. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/bench/contest.h"
#include "tests/bench/stack.h"

namespace potok::bench {

struct WorkloadOptions {
  int wide_steps = 10'000;
  int chain_steps = 200;
  // That a step of the wide ones asks for, a contestant each; 0: nothing, so that it takes one.
  std::vector<double> cpus = {0, 0.125};
  int noop_steps = 100'000;
  std::vector<int> noop_places = {1024, 8192};        // at once, a contestant each
  std::vector<int> submit_steps = {10'000, 100'000};  // a contest each
  int reuse_steps = 10'000;
  std::int64_t log_bytes = 500'000'000;
  int log_lines = 400;
  std::int64_t artifact_bytes = 1'000'000'000;
  int artifact_files = 10'000;
  int first_execs = 50;
  std::string tiny;  // the programs
  std::string step;
  std::string folder;  // for files of its own
  bool with_make = true;
};

// The keys that ContestsOf knows.
std::vector<std::string> WorkloadKeys();

// `stack` outlives the contests. A contest may use what one before it left in the stack.
std::vector<Contest> ContestsOf(const std::string& key,
                                const WorkloadOptions& options,
                                Stack& stack);

// P1, P2 and P4: processes.
std::vector<Contest> StepsContests(const std::string& key,
                                   const WorkloadOptions& options,
                                   Stack& stack);
// P3: steps of which none is a process.
std::vector<Contest> NoopContests(const WorkloadOptions& options, Stack& stack);
// P6: submissions of large pipelines.
std::vector<Contest> SubmitContests(const WorkloadOptions& options, Stack& stack);
// P7: a pipeline of which every step is reused.
std::vector<Contest> ReuseContests(const WorkloadOptions& options, Stack& stack);
// P9: followed output.
std::vector<Contest> LogsContests(const WorkloadOptions& options, Stack& stack);
// P10: files to the store and back.
std::vector<Contest> ArtifactsContests(const WorkloadOptions& options, Stack& stack);
// P11: the way of one step to its first instruction.
std::vector<Contest> FirstExecContests(const WorkloadOptions& options, Stack& stack);

}  // namespace potok::bench
