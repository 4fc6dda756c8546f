// What this machine has: memory, CPUs, GPUs. Reads /proc, /sys and NVML (by dlopen) once.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/resources.h"

namespace potok::agent {

struct GpuDevice {
  int index = 0;
  std::string model;
  std::int64_t memory_bytes = 0;
  std::string uuid;
};

struct MachineFacts {
  Resources
      capacity;  // memory within the agent's own cgroup limit if that is lower; CPUs by affinity
  std::vector<GpuDevice> gpus;
  std::string boot_id;  // /proc/sys/kernel/random/boot_id
  std::string hostname;
  std::string gpu_note;  // why there are none, for the log: "libnvidia-ml.so.1 not found"
};

MachineFacts ProbeMachine();

}  // namespace potok::agent
