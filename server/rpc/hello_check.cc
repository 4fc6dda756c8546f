#include "server/rpc/hello_check.h"

#include <set>

#include "common/base/machine_labels.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::server {

namespace {

constexpr std::int64_t kMemoryMax = std::int64_t{1} << 50;
constexpr std::int64_t kCpuMillisMost = 100'000'000;
constexpr std::int64_t kGpuIndexMax = 65535;
constexpr std::size_t kGpuTextMax = 255;  // bytes
constexpr std::size_t kPoolsMax = 64;
constexpr std::size_t kPoolTextMax = 63;  // bytes

absl::Status CheckWithin(const char* what, std::int64_t value, std::int64_t max) {
  if (value >= 0 && value <= max) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format("{} is {}; 0 to {} can be", what, value, max));
}

absl::Status CheckCapacity(const Resources& capacity) {
  POTOK_RETURN_IF_ERROR(
      CheckWithin("its memory in bytes (--memory)", capacity.memory_bytes, kMemoryMax));
  POTOK_RETURN_IF_ERROR(
      CheckWithin("its thousandths of CPUs (--cpus)", capacity.cpu_millis, kCpuMillisMost));
  POTOK_RETURN_IF_ERROR(CheckWithin("its thousandths of GPUs (--gpus)",
                                    capacity.gpu_millis,
                                    std::int64_t{kGpusMax} * kMillisOfGpu));
  if (capacity.gpu_millis % kMillisOfGpu != 0) {
    return absl::InvalidArgumentError(fmt::format(
        "it has {} GPUs; a machine has whole ones (--gpus)", FormatGpus(capacity.gpu_millis)));
  }
  return CheckAmounts(capacity);
}

absl::Status CheckGpus(const std::vector<GpuInfo>& gpus) {
  POTOK_RETURN_IF_ERROR(CheckWithin(
      "the number of GPUs described", static_cast<std::int64_t>(gpus.size()), kGpusMax));
  std::set<std::int32_t> indices;
  for (const GpuInfo& gpu : gpus) {
    POTOK_RETURN_IF_ERROR(CheckWithin("the index of a GPU", gpu.index, kGpuIndexMax));
    POTOK_RETURN_IF_ERROR(
        CheckWithin("the memory of a GPU in bytes", gpu.memory_bytes, kMemoryMax));
    if (gpu.model.size() > kGpuTextMax || gpu.uuid.size() > kGpuTextMax) {
      return absl::InvalidArgumentError(fmt::format(
          "the model or UUID of GPU {} is longer than {} bytes", gpu.index, kGpuTextMax));
    }
    if (!indices.insert(gpu.index).second) {
      return absl::InvalidArgumentError(
          fmt::format("GPU {} is described twice; each has an index of its own", gpu.index));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckPoolNames(const std::vector<std::string>& pools) {
  if (pools.size() > kPoolsMax) {
    return absl::InvalidArgumentError(
        fmt::format("it declares {} pools; {} can be (--pool)", pools.size(), kPoolsMax));
  }
  for (const std::string& pool : pools) {
    if (!pool.empty() && pool.size() <= kPoolTextMax) continue;
    return absl::InvalidArgumentError(fmt::format(
        "the name of a pool has {} bytes; 1 to {} can be (--pool)", pool.size(), kPoolTextMax));
  }
  return absl::OkStatus();
}

absl::Status CheckFacts(const MachineChanged& machine) {
  POTOK_RETURN_IF_ERROR(CheckCapacity(machine.capacity));
  POTOK_RETURN_IF_ERROR(CheckGpus(machine.gpus));
  POTOK_RETURN_IF_ERROR(CheckPoolNames(machine.pools));
  return CheckMachineLabels(machine.labels);
}

}  // namespace

absl::Status CheckHelloMachine(const MachineChanged& machine) {
  const absl::Status checked = CheckFacts(machine);
  if (checked.ok()) return checked;
  return absl::InvalidArgumentError(
      fmt::format("the agent of machine {} was refused: {}; correct its flags and start it again",
                  machine.name,
                  std::string(checked.message())));
}

}  // namespace potok::server
