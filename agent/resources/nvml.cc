#include "agent/resources/nvml.h"

#include <array>

#include "agent/resources/nvml_library.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::agent {

namespace {

absl::StatusOr<std::vector<GpuDevice>> List(const nvml::Nvml& calls) {
  unsigned count = 0;
  if (const int error = calls.count(&count); error != nvml::kSuccess) {
    return absl::UnavailableError(fmt::format("nvmlDeviceGetCount failed with {}", error));
  }
  std::vector<GpuDevice> gpus;
  for (unsigned i = 0; i < count; ++i) {
    nvml::Device device = nullptr;
    std::array<char, 96> name{};
    std::array<char, 96> uuid{};
    nvml::MemoryInfo memory{};
    // A GPU that has fallen off the bus fails here: it is left out, the others count.
    if (calls.device(i, &device) != nvml::kSuccess ||
        calls.name(device, name.data(), name.size()) != nvml::kSuccess ||
        calls.uuid(device, uuid.data(), uuid.size()) != nvml::kSuccess ||
        calls.memory(device, &memory) != nvml::kSuccess) {
      continue;
    }
    gpus.push_back(
        {static_cast<int>(i), name.data(), static_cast<std::int64_t>(memory.total), uuid.data()});
  }
  return gpus;
}

}  // namespace

absl::StatusOr<std::vector<GpuDevice>> ListNvidiaGpus(const std::string& library) {
  POTOK_ASSIGN_OR_RETURN(const std::unique_ptr<nvml::Library> loaded, nvml::Library::Load(library));
  return List(loaded->calls());
}

std::string NvidiaDriverVersion(const std::string& library) {
  const auto loaded = nvml::Library::Load(library);
  if (!loaded.ok() || (*loaded)->calls().driver_version == nullptr) return "";
  std::array<char, 80> text{};
  const int error = (*loaded)->calls().driver_version(text.data(), text.size());
  return error == nvml::kSuccess ? text.data() : "";
}

}  // namespace potok::agent
