// The Sobol' sequence: points that fill a cube evenly. Pure.
#pragma once

#include <cstdint>

namespace potok::server {

inline constexpr std::uint32_t kSobolDimensionsMax = 21;

// Coordinate `dimension` (from 0, below kSobolDimensionsMax) of the point with this number, in 32
// bits of [0, 1). Number 0 is the origin. Direction numbers are those of S. Joe and F. Kuo
// (new-joe-kuo-6.21201), the order is that of the Gray code.
std::uint32_t SobolBits(std::uint32_t number, std::uint32_t dimension);

}  // namespace potok::server
