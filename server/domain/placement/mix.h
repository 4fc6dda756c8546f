// What is asked for: requests seen, the older the less, by class. Pure; one thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "server/domain/placement/request.h"

namespace potok::server::placing {

// A class of requests: those alike in all but details of CPU and memory, which are the mean's.
struct TypicalRequest {
  Request request;
  double weight = 0;  // of all classes together 1
};

class Mix {
 public:
  explicit Mix(const Policy& policy);

  // So many of them at one moment.
  void Saw(const Request& request, double count = 1);

  // The classes that weigh most, `count_max` at most, by descending weight. Until requests have
  // been seen: one GPU, half of one and a quarter of one, of any kind, which `prior` is for one
  // GPU; they count together as a single request.
  std::vector<TypicalRequest> Typical(std::size_t count_max, const Request& prior) const;

 private:
  using ClassKey = std::tuple<std::int32_t,
                              std::vector<std::string>,
                              std::int64_t,
                              std::optional<DemandId>,
                              std::int64_t,
                              std::int64_t>;
  struct Sums {
    double count = 0;
    double cpu_millis = 0;
    double memory_bytes = 0;
  };

  void Rescale();

  double cpu_only_weight_ = 0;
  double growth_ = 1;  // of what a request counts, from one to the next: the older count less
  double unit_ = 1;    // what the next one counts
  std::map<ClassKey, Sums> classes_;
};

}  // namespace potok::server::placing
