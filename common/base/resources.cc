#include "common/base/resources.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <vector>

#include "common/base/status_macros.h"
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

constexpr std::size_t kNameBytesMax = 63;

bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

void AddNamed(const std::string& name,
              std::int64_t count,
              std::map<std::string, std::int64_t>* named) {
  const auto it = named->try_emplace(name, 0).first;
  it->second += count;
  if (it->second == 0) named->erase(it);
}

absl::Status CheckAmount(const std::string& name, std::int64_t amount, std::int64_t most) {
  if (amount >= 0 && amount <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("{} is {}; it must be from 0 to {}", name, amount, most));
}

std::string WrongGpus(const std::string& text) {
  return fmt::format(
      "'{}' is not a number of GPUs; write whole ones as 2, or a share of one as 0.25", text);
}

}  // namespace

bool Resources::FitsInto(const Resources& free) const {
  return memory_bytes <= free.memory_bytes && cpu_millis <= free.cpu_millis &&
         gpu_millis <= free.gpu_millis && disk_bytes <= free.disk_bytes &&
         std::all_of(named.begin(), named.end(), [&](const auto& entry) {
           return entry.second <= NamedOf(free, entry.first);
         });
}

Resources& Resources::operator+=(const Resources& other) {
  memory_bytes += other.memory_bytes;
  cpu_millis += other.cpu_millis;
  gpu_millis += other.gpu_millis;
  disk_bytes += other.disk_bytes;
  for (const auto& [name, count] : other.named) AddNamed(name, count, &named);
  return *this;
}

Resources& Resources::operator-=(const Resources& other) {
  memory_bytes -= other.memory_bytes;
  cpu_millis -= other.cpu_millis;
  gpu_millis -= other.gpu_millis;
  disk_bytes -= other.disk_bytes;
  for (const auto& [name, count] : other.named) AddNamed(name, -count, &named);
  return *this;
}

std::int64_t NamedOf(const Resources& resources, const std::string& name) {
  const auto it = resources.named.find(name);
  return it == resources.named.end() ? 0 : it->second;
}

Resources LackOf(const Resources& request, const Resources& free) {
  Resources lack;
  lack.memory_bytes = std::max<std::int64_t>(request.memory_bytes - free.memory_bytes, 0);
  lack.cpu_millis = std::max(request.cpu_millis - free.cpu_millis, 0);
  lack.gpu_millis = std::max(request.gpu_millis - free.gpu_millis, 0);
  lack.disk_bytes = std::max<std::int64_t>(request.disk_bytes - free.disk_bytes, 0);
  for (const auto& [name, count] : request.named) {
    const std::int64_t missing = count - NamedOf(free, name);
    if (missing > 0) lack.named[name] = missing;
  }
  return lack;
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
  if (resources.gpu_millis != 0) {
    parts.push_back(fmt::format("{} GPU{}",
                                FormatGpus(resources.gpu_millis),
                                resources.gpu_millis == kMillisOfGpu ? "" : "s"));
  }
  if (resources.disk_bytes != 0) parts.push_back(FormatBytes(resources.disk_bytes) + " disk");
  for (const auto& [name, count] : resources.named) {
    parts.push_back(fmt::format("{} {}", count, name));
  }
  if (parts.empty()) return "nothing";
  return fmt::format("{}", fmt::join(parts, ", "));
}

absl::Status CheckAmounts(const Resources& resources) {
  POTOK_RETURN_IF_ERROR(CheckAmount("memory_bytes", resources.memory_bytes, kBytesMax));
  POTOK_RETURN_IF_ERROR(CheckAmount("cpu_millis", resources.cpu_millis, kCpuMillisMax));
  POTOK_RETURN_IF_ERROR(
      CheckAmount("gpu_millis", resources.gpu_millis, std::int64_t{kGpusMax} * kMillisOfGpu));
  POTOK_RETURN_IF_ERROR(CheckAmount("disk_bytes", resources.disk_bytes, kBytesMax));
  if (resources.named.size() > kNamesMax) {
    return absl::InvalidArgumentError(
        fmt::format("{} named resources, and {} are allowed", resources.named.size(), kNamesMax));
  }
  for (const auto& [name, count] : resources.named) {
    if (!IsResourceName(name)) {
      return absl::InvalidArgumentError(fmt::format(
          "'{}' cannot name a resource; use letters, digits, '_', '.' and '-', at most {}, "
          "beginning with a letter, and none of memory, cpus, gpus and disk",
          name.substr(0, kNameBytesMax + 1),
          kNameBytesMax));
    }
    POTOK_RETURN_IF_ERROR(CheckAmount(name, count, kNamedMax));
  }
  return absl::OkStatus();
}

absl::Status CheckRequest(const Resources& request) {
  POTOK_RETURN_IF_ERROR(CheckAmounts(request));
  if (request.gpu_millis < kMillisOfGpu || request.gpu_millis % kMillisOfGpu == 0) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(WrongGpus(FormatGpus(request.gpu_millis)));
}

bool IsResourceName(const std::string& name) {
  constexpr std::array<const char*, 6> kTaken = {"memory", "cpu", "cpus", "gpu", "gpus", "disk"};
  if (name.empty() || name.size() > kNameBytesMax || !IsLetter(name.front())) return false;
  if (std::find(kTaken.begin(), kTaken.end(), name) != kTaken.end()) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return IsLetter(c) || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
  });
}

absl::StatusOr<std::int64_t> ParseBytes(const std::string& text) {
  double number = 0;
  std::string unit;
  if (SplitNumber(text, &number, &unit)) {
    for (const Unit& known : kUnits) {
      if (unit != known.name) continue;
      const double bytes = number * known.factor;
      if (bytes <= static_cast<double>(kBytesMax)) return static_cast<std::int64_t>(bytes);
      return absl::InvalidArgumentError(
          fmt::format("'{}' is more than 4 EiB, which no machine has", text));
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
    if (millis <= kCpuMillisMax) return static_cast<std::int32_t>(std::lround(millis));
  }
  return absl::InvalidArgumentError(
      fmt::format("'{}' is not a number of CPUs; write for example 2, 0.5 or 500m", text));
}

absl::StatusOr<std::int32_t> ParseGpuMillis(const std::string& text) {
  double number = 0;
  std::string unit;
  if (!SplitNumber(text, &number, &unit) || !unit.empty()) {
    return absl::InvalidArgumentError(WrongGpus(text));
  }
  if (number > kGpusMax) {
    return absl::InvalidArgumentError(
        fmt::format("'{}' are more GPUs than a machine may have, which is {}", text, kGpusMax));
  }
  // What is written as 0.29 is a little less than that.
  constexpr double kEpsilon = 1e-6;
  const auto millis = static_cast<std::int32_t>(std::floor(number * kMillisOfGpu + kEpsilon));
  const bool is_share = number < 1 && (millis > 0 || number == 0);
  if (!is_share && number != std::floor(number)) {
    return absl::InvalidArgumentError(WrongGpus(text));
  }
  return millis;
}

std::int32_t MillisOfGpus(std::int32_t whole) {
  constexpr std::int32_t kMost = std::numeric_limits<std::int32_t>::max() / kMillisOfGpu;
  return std::clamp(whole, -kMost, kMost) * kMillisOfGpu;
}

std::string FormatGpus(std::int32_t millis) {
  return fmt::format("{:g}", static_cast<double>(millis) / kMillisOfGpu);
}

}  // namespace potok
