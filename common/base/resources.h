// What machines have and steps ask for. Values; pure.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace potok {

struct Resources {
  std::int64_t memory_bytes = 0;
  std::int32_t cpu_millis = 0;  // thousandths of a CPU
  std::int32_t gpus = 0;

  // True if a request of this size fits into `free`.
  bool FitsInto(const Resources& free) const {
    return memory_bytes <= free.memory_bytes && cpu_millis <= free.cpu_millis && gpus <= free.gpus;
  }
  Resources& operator+=(const Resources& other);
  Resources& operator-=(const Resources& other);
  bool operator==(const Resources&) const = default;
};

// "8.0 GiB memory, 2 CPUs, 1 GPU": what is zero is left out, nothing at all is "nothing".
std::string ToString(const Resources& resources);

// Bytes from "512", "512MiB", "8 GiB", "1.5GB", "2g", "300k": binary units by KiB, MiB, GiB, TiB
// and by the single letters k, m, g, t (Docker's convention, docker-run(1) --memory); decimal by
// KB, MB, GB, TB. INVALID_ARGUMENT for anything else, negative numbers and what exceeds 2^62.
absl::StatusOr<std::int64_t> ParseBytes(const std::string& text);

// "1.5 GiB", "312 MiB", "17 B".
std::string FormatBytes(std::int64_t bytes);

// Thousandths from "2", "0.5" or "500m" (Kubernetes' convention for CPUs).
absl::StatusOr<std::int32_t> ParseCpuMillis(const std::string& text);

}  // namespace potok
