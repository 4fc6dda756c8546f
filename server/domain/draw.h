// Random numbers that are functions of their keys, and what is made of them. Pure: the same key
// gives the same number.
#pragma once

#include <cstdint>

namespace potok::server {

// SplitMix64 (S. Vigna, public domain).
std::uint64_t MixBits(std::uint64_t value);

// The upper 52 bits as a number in (0, 1), never at its ends.
double ToUnit(std::uint64_t bits);

// The share of a standard normal distribution that is below `x`.
double NormalShare(double x);

// Its inverse for `u` in (0, 1): P. Acklam's rational approximation, and one step of Halley's
// method.
double NormalQuantile(double u);

// Numbers in (0, 1), one after another.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : state_(seed) {}
  double Next() { return ToUnit(MixBits(state_++)); }

 private:
  std::uint64_t state_;
};

}  // namespace potok::server
