#include "server/domain/draw.h"

#include <cmath>
#include <numbers>

namespace potok::server {

namespace {

// Acklam's coefficients, and where the tails begin.
constexpr double kLow = 0.02425;
constexpr double kA[] = {-3.969683028665376e+01,
                         2.209460984245205e+02,
                         -2.759285104469687e+02,
                         1.383577518672690e+02,
                         -3.066479806614716e+01,
                         2.506628277459239e+00};
constexpr double kB[] = {-5.447609879822406e+01,
                         1.615858368580409e+02,
                         -1.556989798598866e+02,
                         6.680131188771972e+01,
                         -1.328068155288572e+01};
constexpr double kC[] = {-7.784894002430293e-03,
                         -3.223964580411365e-01,
                         -2.400758277161838e+00,
                         -2.549732539343734e+00,
                         4.374664141464968e+00,
                         2.938163982698783e+00};
constexpr double kD[] = {
    7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00, 3.754408661907416e+00};

double TailQuantile(double u) {
  const double q = std::sqrt(-2 * std::log(u));
  return (((((kC[0] * q + kC[1]) * q + kC[2]) * q + kC[3]) * q + kC[4]) * q + kC[5]) /
         ((((kD[0] * q + kD[1]) * q + kD[2]) * q + kD[3]) * q + 1);
}

double MiddleQuantile(double q) {
  const double r = q * q;
  return (((((kA[0] * r + kA[1]) * r + kA[2]) * r + kA[3]) * r + kA[4]) * r + kA[5]) * q /
         (((((kB[0] * r + kB[1]) * r + kB[2]) * r + kB[3]) * r + kB[4]) * r + 1);
}

}  // namespace

std::uint64_t MixBits(std::uint64_t value) {
  value += 0x9E3779B97F4A7C15U;
  value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9U;
  value = (value ^ (value >> 27U)) * 0x94D049BB133111EBU;
  return value ^ (value >> 31U);
}

double ToUnit(std::uint64_t bits) {
  return (static_cast<double>(bits >> 12U) + 0.5) * 0x1p-52;
}

double NormalShare(double x) {
  return 0.5 * std::erfc(-x / std::numbers::sqrt2);
}

double NormalQuantile(double u) {
  double x = 0;
  if (u < kLow) {
    x = TailQuantile(u);
  } else if (u > 1 - kLow) {
    x = -TailQuantile(1 - u);
  } else {
    x = MiddleQuantile(u - 0.5);
  }
  const double error = NormalShare(x) - u;
  const double step = error * std::sqrt(2 * std::numbers::pi) * std::exp(x * x / 2);
  return x - step / (1 + x * step / 2);
}

}  // namespace potok::server
