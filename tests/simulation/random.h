// The only source of chance in a simulation: equal seeds give equal histories on every machine.
#pragma once

#include <cstdint>

#include "absl/time/time.h"

namespace potok::server {

// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t Next() {
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31U);
  }
  // From 0 to `end` - 1.
  std::uint32_t Below(std::uint32_t end) { return static_cast<std::uint32_t>(Next() % end); }
  bool Chance(std::uint32_t per_mille) { return Below(1000) < per_mille; }
  absl::Duration UpTo(absl::Duration longest) {
    return longest * static_cast<double>(Below(1000)) / 1000.0;
  }

 private:
  std::uint64_t state_;
};

}  // namespace potok::server
