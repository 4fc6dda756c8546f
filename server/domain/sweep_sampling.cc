#include "server/domain/sweep_sampling.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "fmt/format.h"
#include "server/domain/sobol.h"

namespace potok::server {

namespace {

constexpr std::uint32_t kTrialsDefault = 1000;

// SplitMix64 (S. Vigna, public domain).
std::uint64_t Mix(std::uint64_t value) {
  value += 0x9E3779B97F4A7C15U;
  value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9U;
  value = (value ^ (value >> 27U)) * 0x94D049BB133111EBU;
  return value ^ (value >> 31U);
}

// In (0, 1), never at its ends.
double ToUnit(std::uint64_t bits) {
  return (static_cast<double>(bits >> 12U) + 0.5) * 0x1p-52;
}

// The inverse of the normal distribution function: P. Acklam's rational approximation, and one step
// of Halley's method.
double NormalQuantile(double u) {
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
  constexpr double kLow = 0.02425;
  const auto tail = [&](double q) {
    return (((((kC[0] * q + kC[1]) * q + kC[2]) * q + kC[3]) * q + kC[4]) * q + kC[5]) /
           ((((kD[0] * q + kD[1]) * q + kD[2]) * q + kD[3]) * q + 1);
  };
  double x = 0;
  if (u < kLow) {
    x = tail(std::sqrt(-2 * std::log(u)));
  } else if (u > 1 - kLow) {
    x = -tail(std::sqrt(-2 * std::log(1 - u)));
  } else {
    const double q = u - 0.5;
    const double r = q * q;
    x = (((((kA[0] * r + kA[1]) * r + kA[2]) * r + kA[3]) * r + kA[4]) * r + kA[5]) * q /
        (((((kB[0] * r + kB[1]) * r + kB[2]) * r + kB[3]) * r + kB[4]) * r + 1);
  }
  const double error = 0.5 * std::erfc(-x / std::numbers::sqrt2) - u;
  const double step = error * std::sqrt(2 * std::numbers::pi) * std::exp(x * x / 2);
  return x - step / (1 + x * step / 2);
}

double NumberOf(const SearchParameter& parameter, const char* name, double otherwise) {
  const auto found = parameter.numbers.find(name);
  return found == parameter.numbers.end() ? otherwise : found->second;
}

std::string ChoiceAt(const SearchParameter& parameter, double u) {
  if (parameter.values.empty()) return "";
  const auto size = static_cast<double>(parameter.values.size());
  const auto which = static_cast<std::size_t>(u * size);
  return parameter.values[std::min(which, parameter.values.size() - 1)];
}

// Positions in a grid, the last parameter fastest.
std::vector<OutputValue> GridPoint(const Sweep& sweep, std::uint32_t number) {
  std::vector<OutputValue> values(sweep.space.size());
  for (std::size_t i = sweep.space.size(); i-- > 0;) {
    const SearchParameter& parameter = sweep.space[i];
    const auto size = static_cast<std::uint32_t>(std::max<std::size_t>(parameter.values.size(), 1));
    values[i].name = parameter.name;
    values[i].value = parameter.values.empty() ? "" : parameter.values[number % size];
    number /= size;
  }
  return values;
}

}  // namespace

std::uint32_t TrialsOf(const Sweep& sweep) {
  const std::uint32_t limit = sweep.max_total_trials > 0
                                  ? static_cast<std::uint32_t>(sweep.max_total_trials)
                                  : kTrialsDefault;
  if (sweep.algorithm != "grid") return limit;
  std::uint64_t points = 1;
  for (const SearchParameter& parameter : sweep.space) {
    points *= std::max<std::size_t>(parameter.values.size(), 1);
    if (points >= limit) return limit;
  }
  return static_cast<std::uint32_t>(points);
}

std::string ValueAt(const SearchParameter& parameter, double u, double base) {
  std::string type = parameter.type;
  if (type == "choice") return ChoiceAt(parameter, u);
  if (type == "randint") {
    const double upper = NumberOf(parameter, "upper", 1);
    return fmt::format("{}", static_cast<std::int64_t>(std::min(std::floor(u * upper), upper - 1)));
  }
  const bool is_rounded = type.starts_with("q");
  if (is_rounded) type = type.substr(1);
  const bool is_log = type.starts_with("log");
  if (is_log) type = type.substr(3);
  double value = 0;
  if (type == "uniform") {
    const double low = NumberOf(parameter, "min_value", 0);
    value = low + (NumberOf(parameter, "max_value", 1) - low) * u;
  } else {
    value = NumberOf(parameter, "mu", 0) + NumberOf(parameter, "sigma", 1) * NormalQuantile(u);
  }
  if (is_log) value = std::pow(base, value);
  const double q = NumberOf(parameter, "q", 1);
  if (is_rounded && q > 0) value = std::round(value / q) * q;
  return fmt::format("{}", value);
}

std::vector<OutputValue> SampleTrial(const Sweep& sweep, std::uint64_t seed, std::uint32_t number) {
  if (sweep.algorithm == "grid") return GridPoint(sweep, number);
  const bool is_sobol = sweep.algorithm == "random" && sweep.rule == "sobol";
  const double base = sweep.logbase.value_or(std::numbers::e);
  std::vector<OutputValue> values;
  for (std::uint32_t i = 0; i < sweep.space.size(); ++i) {
    const std::uint64_t of_parameter = Mix(seed ^ Mix(i + 1));
    double u = ToUnit(Mix(of_parameter ^ Mix(std::uint64_t{number} << 20U)));
    if (is_sobol && i < kSobolDimensionsMax) {
      const std::uint32_t bits = SobolBits(number + 1, i);
      const bool is_shifted = sweep.seed.has_value();
      u = ToUnit(std::uint64_t{is_shifted ? bits ^ static_cast<std::uint32_t>(of_parameter) : bits}
                 << 32U);
    }
    values.push_back({sweep.space[i].name, ValueAt(sweep.space[i], u, base)});
  }
  return values;
}

std::uint64_t SeedOf(const std::string& run, const std::string& step) {
  const Digest digest = DigestOf(run + "\n" + step);
  std::uint64_t seed = 0;
  for (std::size_t i = 0; i < 8; ++i) seed = (seed << 8U) | digest.sha256[i];
  return seed;
}

}  // namespace potok::server
