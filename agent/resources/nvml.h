// The few calls of NVIDIA's management library that Potok makes, bound at run time.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/resources/machine_probe.h"

namespace potok::agent {

// All GPUs of this machine as NVML numbers them. Loads `library` (normally libnvidia-ml.so.1) for
// the time of the call; NOT_FOUND when it is not there, UNAVAILABLE when it does not work, with the
// reason.
absl::StatusOr<std::vector<GpuDevice>> ListNvidiaGpus(const std::string& library);

// "535.104.05", or empty if it cannot be known.
std::string NvidiaDriverVersion(const std::string& library);

}  // namespace potok::agent
