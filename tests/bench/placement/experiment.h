// The paper's experiment: tasks arrive one by one until they have requested more GPUs than there
// are; each is placed once or refused, and none leaves.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/domain/placement/request.h"

namespace potok::bench {

constexpr double kArrivedAtEnd = 1.3;

struct Workload {
  std::vector<server::placing::Machine> machines;
  std::vector<server::placing::Request> requests;
};

// Shares of the machines' GPU millis that are allocated, in percent.
struct Allocated {
  double at_full = 0;  // when as many have been requested as there are
  double at_end = 0;
};

// The order of arrival is the list shuffled by the seed, then the same again.
Allocated RunOnce(const Workload& workload, const std::string& placer, std::uint64_t seed);

// What one decision takes, in microseconds, over the whole experiment with the machines' list
// repeated to so many.
struct DecisionTimes {
  double mean = 0;
  double p50 = 0;
  double p99 = 0;
  double most = 0;
  std::size_t decisions = 0;
};
DecisionTimes TimeDecisions(const Workload& workload,
                            const std::string& placer,
                            std::size_t machines,
                            std::uint64_t seed);

}  // namespace potok::bench
