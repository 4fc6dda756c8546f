#include "tests/bench/placement/experiment.h"

#include <algorithm>
#include <ctime>
#include <numeric>
#include <random>

#include "tests/bench/placement/placer.h"
#include "tests/bench/placement/trace.h"

namespace potok::bench {

namespace {

// Fisher-Yates over numbers that every standard library draws alike.
std::vector<std::size_t> ShuffledBy(std::uint64_t seed, std::size_t count) {
  std::vector<std::size_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0);
  std::mt19937_64 random(seed);
  for (std::size_t i = count; i > 1; --i) {
    std::swap(numbers[i - 1], numbers[random() % i]);
  }
  return numbers;
}

// Of the processor: the machine may be busy.
double MicrosecondsOfThread() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return 1e6 * static_cast<double>(time.tv_sec) + 1e-3 * static_cast<double>(time.tv_nsec);
}

// Calls `arrive` with the number of each request in turn until so many millis were requested.
template <class Arrive>
void Submit(const Workload& workload, std::uint64_t seed, double millis, Arrive arrive) {
  const std::vector<std::size_t> order = ShuffledBy(seed, workload.requests.size());
  double requested = 0;
  for (std::size_t i = 0; requested < millis; i = (i + 1) % order.size()) {
    requested += workload.requests[order[i]].gpu_millis;
    arrive(order[i], requested);
  }
}

}  // namespace

Allocated RunOnce(const Workload& workload, const std::string& placer, std::uint64_t seed) {
  const auto millis = static_cast<double>(GpuMillisOf(workload.machines));
  const auto placing = MakePlacer(placer, workload.machines, workload.requests, seed);
  double allocated = 0;
  double at_full = 0;
  bool was_full = false;
  Submit(workload, seed, kArrivedAtEnd * millis, [&](std::size_t number, double requested) {
    if (placing->Place(number)) allocated += workload.requests[number].gpu_millis;
    if (was_full || requested < millis) return;
    at_full = allocated;
    was_full = true;
  });
  return {100 * at_full / millis, 100 * allocated / millis};
}

DecisionTimes TimeDecisions(const Workload& workload,
                            const std::string& placer,
                            std::size_t machines,
                            std::uint64_t seed) {
  Workload large;
  large.requests = workload.requests;
  for (std::size_t i = 0; i < machines; ++i) {
    large.machines.push_back(workload.machines[i % workload.machines.size()]);
  }
  const auto placing = MakePlacer(placer, large.machines, large.requests, seed);
  const auto millis = static_cast<double>(GpuMillisOf(large.machines));
  std::vector<double> times;
  Submit(large, seed, kArrivedAtEnd * millis, [&](std::size_t number, double) {
    const double start = MicrosecondsOfThread();
    placing->Place(number);
    times.push_back(MicrosecondsOfThread() - start);
  });
  DecisionTimes result;
  result.decisions = times.size();
  result.mean =
      std::accumulate(times.begin(), times.end(), 0.0) / static_cast<double>(times.size());
  std::sort(times.begin(), times.end());
  result.p50 = times[times.size() / 2];
  result.p99 = times[times.size() * 99 / 100];
  result.most = times.back();
  return result;
}

}  // namespace potok::bench
