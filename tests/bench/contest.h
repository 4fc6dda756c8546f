// Contestants that do the same steps in turn, round by round, and what comes of it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/text/value.h"

namespace potok::bench {

// One contestant's round.
struct Measure {
  double wall_us = 0;
  // CPU time per step in us, of each kind of process: "server", "agent", "PostgreSQL", "children".
  std::map<std::string, double> cpu_us;
  std::vector<double> latency_us;  // of starts, or of the hops of a chain; empty: not taken
  double others = 0;               // part of the machine that neither of these processes had
};

struct Contestant {
  std::string name;
  std::function<absl::StatusOr<Measure>()> round;
  std::vector<Measure> measures = {};
};

// The first contestant is the limit: bare starts of the same program.
struct Contest {
  std::string key;  // P1
  std::string title;
  int steps = 0;
  bool is_chain = false;  // latencies count, else steps per second
  std::vector<Contestant> contestants;
  std::vector<double> busy = {};  // part of the machine that was in use before each round
};

struct Gate {
  double busy_max = 0.1;
  double seconds_max = 20;
};

// One round that does not count, then `rounds`: each waits at the gate, then lets every contestant
// do its round. `told` gets a line as each round ends.
absl::Status Hold(Contest& contest,
                  int rounds,
                  const Gate& gate,
                  const std::function<void(const std::string&)>& told);

// Of a sorted or unsorted list; `part` from 0 to 1, nearest rank. 0 for an empty one.
double Quantile(std::vector<double> values, double part);

std::string TextOf(const Contest& contest);
client::Value ObjectOf(const Contest& contest);

}  // namespace potok::bench
