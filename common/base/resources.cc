#include "common/base/resources.h"

#include <cctype>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "fmt/format.h"

namespace potok {

namespace {

struct Unit {
  const char* name;
  double factor;
};

constexpr double kKi = 1024;
constexpr Unit kUnits[] = {
    {"", 1},
    {"b", 1},
    {"k", kKi},
    {"kib", kKi},
    {"ki", kKi},
    {"kb", 1e3},
    {"m", kKi* kKi},
    {"mib", kKi* kKi},
    {"mi", kKi* kKi},
    {"mb", 1e6},
    {"g", kKi* kKi* kKi},
    {"gib", kKi* kKi* kKi},
    {"gi", kKi* kKi* kKi},
    {"gb", 1e9},
    {"t", kKi* kKi* kKi* kKi},
    {"tib", kKi* kKi* kKi* kKi},
    {"ti", kKi* kKi* kKi* kKi},
    {"tb", 1e12},
};

// Splits "1.5GiB" into 1.5 and "gib"; false if it does not start with a plain decimal number.
bool SplitNumber(const std::string& text, double* number, std::string* unit) {
  std::size_t end = 0;
  while (end < text.size() &&
         (std::isdigit(static_cast<unsigned char>(text[end])) != 0 || text[end] == '.')) {
    ++end;
  }
  if (end == 0 || text == ".") return false;
  const std::string digits = text.substr(0, end);
  char* stop = nullptr;
  *number = std::strtod(digits.c_str(), &stop);
  if (*stop != '\0') return false;
  unit->clear();
  for (std::size_t i = end; i < text.size(); ++i) {
    if (text[i] == ' ') continue;
    unit->push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(text[i]))));
  }
  return true;
}

}  // namespace

Resources& Resources::operator+=(const Resources& other) {
  memory_bytes += other.memory_bytes;
  cpu_millis += other.cpu_millis;
  gpus += other.gpus;
  return *this;
}

Resources& Resources::operator-=(const Resources& other) {
  memory_bytes -= other.memory_bytes;
  cpu_millis -= other.cpu_millis;
  gpus -= other.gpus;
  return *this;
}

std::string FormatBytes(std::int64_t bytes) {
  constexpr const char* kNames[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= kKi && unit + 1 < std::size(kNames)) {
    value /= kKi;
    ++unit;
  }
  const bool whole = unit == 0 || value == std::floor(value) || value >= 100;
  return whole ? fmt::format("{:.0f} {}", value, kNames[unit])
               : fmt::format("{:.1f} {}", value, kNames[unit]);
}

std::string ToString(const Resources& resources) {
  std::vector<std::string> parts;
  if (resources.memory_bytes != 0) parts.push_back(FormatBytes(resources.memory_bytes) + " memory");
  if (resources.cpu_millis != 0) {
    parts.push_back(fmt::format(
        "{:g} CPU{}", resources.cpu_millis / 1000.0, resources.cpu_millis == 1000 ? "" : "s"));
  }
  if (resources.gpus != 0) {
    parts.push_back(fmt::format("{} GPU{}", resources.gpus, resources.gpus == 1 ? "" : "s"));
  }
  if (parts.empty()) return "nothing";
  return fmt::format("{}", fmt::join(parts, ", "));
}

absl::StatusOr<std::int64_t> ParseBytes(const std::string& text) {
  double number = 0;
  std::string unit;
  if (SplitNumber(text, &number, &unit)) {
    for (const Unit& known : kUnits) {
      if (unit != known.name) continue;
      const double bytes = number * known.factor;
      if (bytes > 4.6e18) break;
      return static_cast<std::int64_t>(bytes);
    }
  }
  return absl::InvalidArgumentError(
      fmt::format("'{}' is not an amount of memory; write for example 512MiB or 8GiB", text));
}

absl::StatusOr<std::int32_t> ParseCpuMillis(const std::string& text) {
  double number = 0;
  std::string unit;
  if (SplitNumber(text, &number, &unit) && (unit.empty() || unit == "m")) {
    const double millis = unit.empty() ? number * 1000 : number;
    if (millis <= 1e9) return static_cast<std::int32_t>(std::lround(millis));
  }
  return absl::InvalidArgumentError(
      fmt::format("'{}' is not a number of CPUs; write for example 2, 0.5 or 500m", text));
}

}  // namespace potok
