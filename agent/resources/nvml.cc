#include "agent/resources/nvml.h"

#include <dlfcn.h>

#include <array>
#include <memory>

#include "fmt/format.h"

namespace potok::agent {

namespace {

// As in nvml.h of the CUDA toolkit, which Debian's main archive does not have: the ABI of these has
// not changed since NVML 4 (the _v2 names are the versions with 64-bit counts of PCI devices).
using Device = void*;
struct MemoryInfo {
  unsigned long long total;
  unsigned long long free;
  unsigned long long used;
};
constexpr int kSuccess = 0;

template <class Function>
Function* Find(void* library, const char* name) {
  return reinterpret_cast<Function*>(dlsym(library, name));
}

struct Nvml {
  int (*init)() = nullptr;
  int (*shutdown)() = nullptr;
  int (*count)(unsigned*) = nullptr;
  int (*device)(unsigned, Device*) = nullptr;
  int (*name)(Device, char*, unsigned) = nullptr;
  int (*uuid)(Device, char*, unsigned) = nullptr;
  int (*memory)(Device, MemoryInfo*) = nullptr;

  explicit Nvml(void* library)
      : init(Find<int()>(library, "nvmlInit_v2")),
        shutdown(Find<int()>(library, "nvmlShutdown")),
        count(Find<int(unsigned*)>(library, "nvmlDeviceGetCount_v2")),
        device(Find<int(unsigned, Device*)>(library, "nvmlDeviceGetHandleByIndex_v2")),
        name(Find<int(Device, char*, unsigned)>(library, "nvmlDeviceGetName")),
        uuid(Find<int(Device, char*, unsigned)>(library, "nvmlDeviceGetUUID")),
        memory(Find<int(Device, MemoryInfo*)>(library, "nvmlDeviceGetMemoryInfo")) {}

  bool complete() const {
    return init != nullptr && shutdown != nullptr && count != nullptr && device != nullptr &&
           name != nullptr && uuid != nullptr && memory != nullptr;
  }
};

absl::StatusOr<std::vector<GpuDevice>> List(const Nvml& nvml) {
  unsigned count = 0;
  if (const int error = nvml.count(&count); error != kSuccess) {
    return absl::UnavailableError(fmt::format("nvmlDeviceGetCount failed with {}", error));
  }
  std::vector<GpuDevice> gpus;
  for (unsigned i = 0; i < count; ++i) {
    Device device = nullptr;
    std::array<char, 96> name{};
    std::array<char, 96> uuid{};
    MemoryInfo memory{};
    // A GPU that has fallen off the bus fails here: it is left out, the others count.
    if (nvml.device(i, &device) != kSuccess ||
        nvml.name(device, name.data(), name.size()) != kSuccess ||
        nvml.uuid(device, uuid.data(), uuid.size()) != kSuccess ||
        nvml.memory(device, &memory) != kSuccess) {
      continue;
    }
    gpus.push_back(
        {static_cast<int>(i), name.data(), static_cast<std::int64_t>(memory.total), uuid.data()});
  }
  return gpus;
}

}  // namespace

absl::StatusOr<std::vector<GpuDevice>> ListNvidiaGpus(const std::string& library) {
  const std::unique_ptr<void, int (*)(void*)> handle(dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL),
                                                     dlclose);
  if (handle == nullptr) return absl::NotFoundError(fmt::format("{} not found", library));
  const Nvml nvml(handle.get());
  if (!nvml.complete())
    return absl::UnavailableError(fmt::format("{} lacks functions of NVML", library));
  if (const int error = nvml.init(); error != kSuccess) {
    return absl::UnavailableError(
        fmt::format("nvmlInit failed with {} (driver not loaded?)", error));
  }
  auto gpus = List(nvml);
  nvml.shutdown();
  return gpus;
}

std::string NvidiaDriverVersion(const std::string& library) {
  const std::unique_ptr<void, int (*)(void*)> handle(dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL),
                                                     dlclose);
  if (handle == nullptr) return "";
  const Nvml nvml(handle.get());
  auto* const version = Find<int(char*, unsigned)>(handle.get(), "nvmlSystemGetDriverVersion");
  if (!nvml.complete() || version == nullptr || nvml.init() != kSuccess) return "";
  std::array<char, 80> text{};
  const bool known = version(text.data(), text.size()) == kSuccess;
  nvml.shutdown();
  return known ? text.data() : "";
}

}  // namespace potok::agent
