#include "server/domain/sweep_sampling.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "fmt/format.h"
#include "server/domain/draw.h"
#include "server/domain/sobol.h"

namespace potok::server {

namespace {

constexpr std::uint32_t kTrialsDefault = 1000;

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
    const std::uint64_t of_parameter = MixBits(seed ^ MixBits(i + 1));
    double u = ToUnit(MixBits(of_parameter ^ MixBits(std::uint64_t{number} << 20U)));
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
