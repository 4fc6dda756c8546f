// Contestants that do the same work in turn, round by round, and what comes of it.
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
  // CPU time per unit of work in us, of each kind of process: "server", "agent", "PostgreSQL",
  // "children".
  std::map<std::string, double> cpu_us = {};
  std::vector<double> latency_us = {};      // of each of many; empty: not taken
  std::map<std::string, double> also = {};  // what else was measured, by the key of its column
  double others = 0;  // part of the machine that neither of these processes had
};

struct Contestant {
  std::string name;
  std::function<absl::StatusOr<Measure>()> round;
  std::vector<Measure> measures = {};
};

struct Contest;

// A figure that a contest is about. 0: this contestant has none.
struct Column {
  std::string key;
  std::string name;
  std::function<double(const Contest&, const Measure&, std::size_t round)> figure;
};

// The first contestant is the limit, the first column the one that it is the limit of.
struct Contest {
  std::string key;  // P1
  std::string title;
  double units = 0;  // of work in a round
  std::string unit;  // "step"
  std::vector<Column> columns;
  bool less_is_better = false;  // in the first column
  std::vector<Contestant> contestants = {};
  std::vector<double> busy = {};  // part of the machine that was in use before each round
};

// Units of work per second of the whole, `name` as "steps/s".
Column RateColumn(const std::string& name);
// The same until the moment that `also` holds under `key`, in us.
Column RateUntilColumn(const std::string& key, const std::string& name);
Column MillisColumn();  // of the whole
Column MicrosPerUnitColumn(const std::string& name);
// A quantile of the latencies in us: as they are, or above the limit's median of the same round.
Column LatencyColumn(double part);
Column AboveLimitColumn(double part);

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
