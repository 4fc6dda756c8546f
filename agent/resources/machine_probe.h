// What this machine has: memory, CPUs, GPUs. Reads /proc, /sys and NVML (by dlopen) once.
#pragma once

#include <cstdint>
#include <map>
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

// What a GPU is said to be, where NVML does not say it.
struct DeclaredGpu {
  std::string model;
  std::int64_t memory_bytes = 0;
  int index = 0;
  bool operator==(const DeclaredGpu&) const = default;
};

struct MachineFacts {
  Resources
      capacity;  // memory within the agent's own cgroup limit if that is lower; CPUs by affinity
  std::vector<GpuDevice> gpus;
  std::string boot_id;  // /proc/sys/kernel/random/boot_id
  std::string hostname;
  // What steps can ask for beside amounts: os, arch, and driver of NVIDIA's.
  std::map<std::string, std::string> labels;
  std::string gpu_note;  // why there are none, for the log: "libnvidia-ml.so.1 not found"
};

MachineFacts ProbeMachine();

// Bytes of disk to offer to steps: 95 % of what is free where `folder` is, 0 if that is not known.
std::int64_t DiskToOffer(const std::string& folder);

}  // namespace potok::agent
