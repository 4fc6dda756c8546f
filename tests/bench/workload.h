// The workloads of the suite, each as a contest of the limit, make and Potok.
#pragma once

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
  std::string tiny;    // the program
  std::string folder;  // for files of its own
  bool with_make = true;
};

// `key` is P1, P2 or P4; P4 is two contests, one for each program. Empty for an unknown key.
// `stack` outlives the contests.
std::vector<Contest> ContestsOf(const std::string& key,
                                const WorkloadOptions& options,
                                Stack& stack);

}  // namespace potok::bench
