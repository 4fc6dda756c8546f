// What machines have and steps ask for. Values; pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace potok {

// The most that a machine may say it has, and that a step may ask for.
inline constexpr std::int64_t kBytesMax = std::int64_t{1} << 62;
inline constexpr std::int32_t kCpuMillisMax = 1'000'000'000;
inline constexpr std::int32_t kGpusMax = 1024;
inline constexpr std::int64_t kNamedMax = 1'000'000'000;  // of each
inline constexpr std::size_t kNamesMax = 64;              // different ones

inline constexpr std::int32_t kMillisOfGpu = 1000;  // of a whole one

struct Resources {
  std::int64_t memory_bytes = 0;
  std::int32_t cpu_millis = 0;  // thousandths of a CPU
  // Thousandths of a GPU. A step asks for whole ones (a multiple of 1000) or for a share of one
  // (1 to 999).
  std::int32_t gpu_millis = 0;
  std::int64_t disk_bytes = 0;
  // Things that are counted, such as licences, by their names. One of which there is none is not
  // in it.
  std::map<std::string, std::int64_t> named = {};

  // True if a request of this size fits into `free`. Says nothing of how shares of GPUs lie.
  bool FitsInto(const Resources& free) const;
  Resources& operator+=(const Resources& other);
  Resources& operator-=(const Resources& other);
  bool operator==(const Resources&) const = default;
};

// How many of `name` there are; 0 if there are none.
std::int64_t NamedOf(const Resources& resources, const std::string& name);

// How much is missing of each resource; zero where the request fits.
Resources LackOf(const Resources& request, const Resources& free);

// "8.0 GiB memory, 2 CPUs, 0.5 GPUs, 100 GiB disk, 2 fpga": what is zero is left out, nothing at
// all is "nothing".
std::string ToString(const Resources& resources);

// INVALID_ARGUMENT for what is negative, for more than the limits above, and for a name that is
// none, saying which.
absl::Status CheckAmounts(const Resources& resources);
// The same of what a step asks for: its GPUs are also whole ones or a share of one.
absl::Status CheckRequest(const Resources& request);

// True if it can name a counted thing: letters, digits, '_', '.' and '-', at most 63, beginning
// with a letter; "memory", "cpus", "gpus" and "disk" have their own fields and are no such names.
bool IsResourceName(const std::string& name);

// Bytes from "512", "512MiB", "8 GiB", "1.5GB", "2g", "300k": binary units by KiB, MiB, GiB, TiB
// and by the single letters k, m, g, t (Docker's convention, docker-run(1) --memory); decimal by
// KB, MB, GB, TB. INVALID_ARGUMENT for anything else, negative numbers and what exceeds 2^62.
absl::StatusOr<std::int64_t> ParseBytes(const std::string& text);

// "1.5 GiB", "312 MiB", "17 B".
std::string FormatBytes(std::int64_t bytes);

// Thousandths from "2", "0.5" or "500m" (Kubernetes' convention for CPUs). INVALID_ARGUMENT for
// anything else and what exceeds a million CPUs.
absl::StatusOr<std::int32_t> ParseCpuMillis(const std::string& text);

// Thousandths from "2" or "0.25", rounded down. INVALID_ARGUMENT for anything else: 1.5 is neither
// whole nor a share of one, and neither is less than a thousandth.
absl::StatusOr<std::int32_t> ParseGpuMillis(const std::string& text);

// Thousandths of so many whole GPUs; of an absurd number the nearest that has so many.
std::int32_t MillisOfGpus(std::int32_t whole);

// "2", "0.25": what ParseGpuMillis reads back.
std::string FormatGpus(std::int32_t millis);

}  // namespace potok
