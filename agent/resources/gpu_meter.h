// How busy GPUs are. Port of the agent's loop; the real one is nvml_meter.h.
#pragma once

#include <cstdint>
#include <map>

namespace potok::agent {

struct GpuReading {
  double utilization = 0;  // 0 to 1, of the last moment before it was read
  std::int64_t memory_bytes = 0;
};

// Never blocks for long. Thread-safe.
class GpuMeter {
 public:
  virtual ~GpuMeter() = default;
  // Of GPUs by their index, as last read; those that could not be read are missing.
  virtual std::map<int, GpuReading> Read() const = 0;
};

}  // namespace potok::agent
