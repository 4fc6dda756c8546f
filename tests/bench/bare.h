// What the same work costs without Potok: the machine's own limit, and GNU make.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace potok::bench {

// One measurement of a number of steps.
struct Run {
  double wall_us = 0;
  double child_cpu_us = 0;         // of all that was started
  std::vector<double> latency_us;  // of each step, or of each hop of a chain; empty: not taken
};

// The limit: starts `program` by vfork(2) and execve(2) and waits for it, `count` times over
// `at_once` threads. Every start's duration is kept. INTERNAL if it does not end with 0.
absl::StatusOr<Run> StartBare(const std::string& program, int count, int at_once);

// Runs a program, found by PATH, to its end; how long it took in us. INTERNAL if it does not end
// with 0 or is not there.
absl::StatusOr<double> RunToZero(std::vector<std::string> words);

// True if `make` is installed.
bool HasMake();

// The peer: `make -jAT_ONCE` of a Makefile of `count` targets with the recipe `program`, each
// needing the one before if `is_chain`. The Makefile is written into `folder` before.
absl::StatusOr<Run> StartByMake(
    const std::string& program, int count, int at_once, bool is_chain, const std::string& folder);

}  // namespace potok::bench
