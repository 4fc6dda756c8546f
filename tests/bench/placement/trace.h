// The files of a cluster and its tasks, as in Alibaba's cluster-trace-gpu-v2023.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/domain/placement/request.h"

namespace potok::bench {

// Machines of a list `sn,cpu_milli,memory_mib,gpu,model`; columns are found by name. Places are 0.
// INVALID_ARGUMENT names file and line.
absl::StatusOr<std::vector<server::placing::Machine>> ReadNodes(const std::string& path);

// Requests of a list with the columns cpu_milli, memory_mib, num_gpu, gpu_milli and gpu_spec,
// others are not looked at. INVALID_ARGUMENT names file and line.
absl::StatusOr<std::vector<server::placing::Request>> ReadPods(const std::string& path);

// GPU millis of all machines together.
std::int64_t GpuMillisOf(const std::vector<server::placing::Machine>& machines);

}  // namespace potok::bench
