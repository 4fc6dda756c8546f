#include "server/domain/sobol.h"

#include <array>

namespace potok::server {

namespace {

// A primitive polynomial of degree `degree` with inner coefficients `inner`, and the first
// direction numbers.
struct Direction {
  std::uint32_t degree = 0;
  std::uint32_t inner = 0;
  std::array<std::uint32_t, 7> first = {};
};

constexpr std::array<Direction, kSobolDimensionsMax - 1> kDirections = {{
    {1, 0, {1}},
    {2, 1, {1, 3}},
    {3, 1, {1, 3, 1}},
    {3, 2, {1, 1, 1}},
    {4, 1, {1, 1, 3, 3}},
    {4, 4, {1, 3, 5, 13}},
    {5, 2, {1, 1, 5, 5, 17}},
    {5, 4, {1, 1, 5, 5, 5}},
    {5, 7, {1, 1, 7, 11, 19}},
    {5, 11, {1, 1, 5, 1, 1}},
    {5, 13, {1, 1, 1, 3, 11}},
    {5, 14, {1, 3, 5, 5, 31}},
    {6, 1, {1, 3, 3, 9, 7, 49}},
    {6, 13, {1, 1, 1, 15, 21, 21}},
    {6, 16, {1, 3, 1, 13, 27, 49}},
    {6, 19, {1, 1, 1, 15, 7, 5}},
    {6, 22, {1, 3, 1, 15, 13, 25}},
    {6, 25, {1, 1, 5, 5, 19, 61}},
    {7, 1, {1, 3, 7, 11, 23, 15, 103}},
    {7, 4, {1, 3, 7, 13, 13, 15, 69}},
}};

using Vectors = std::array<std::uint32_t, 32>;

Vectors VectorsOf(std::uint32_t dimension) {
  Vectors vectors = {};
  for (std::uint32_t i = 0; i < 32; ++i) vectors[i] = 1U << (31U - i);
  if (dimension == 0) return vectors;
  const Direction& direction = kDirections[dimension - 1];
  const std::uint32_t degree = direction.degree;
  for (std::uint32_t i = 0; i < degree; ++i) vectors[i] = direction.first[i] << (31U - i);
  for (std::uint32_t i = degree; i < 32; ++i) {
    vectors[i] = vectors[i - degree] ^ (vectors[i - degree] >> degree);
    for (std::uint32_t k = 1; k < degree; ++k) {
      if (((direction.inner >> (degree - 1 - k)) & 1U) != 0) vectors[i] ^= vectors[i - k];
    }
  }
  return vectors;
}

}  // namespace

std::uint32_t SobolBits(std::uint32_t number, std::uint32_t dimension) {
  const Vectors vectors = VectorsOf(dimension);
  const std::uint32_t gray = number ^ (number >> 1U);
  std::uint32_t bits = 0;
  for (std::uint32_t i = 0; i < 32; ++i) {
    if (((gray >> i) & 1U) != 0) bits ^= vectors[i];
  }
  return bits;
}

}  // namespace potok::server
