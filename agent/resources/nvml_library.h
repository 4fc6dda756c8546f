// NVIDIA's management library, bound at run time. Inside agent/resources only.
#pragma once

#include <dlfcn.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace potok::agent::nvml {

// As in nvml.h of the CUDA toolkit, which Debian's main archive does not have: the ABI of these has
// not changed since NVML 4 (the _v2 names are the versions with 64-bit counts of PCI devices).
using Device = void*;
struct MemoryInfo {
  unsigned long long total;
  unsigned long long free;
  unsigned long long used;
};
inline constexpr int kSuccess = 0;

template <class Function>
Function* Find(void* library, const char* name) {
  return reinterpret_cast<Function*>(dlsym(library, name));
}

// nvmlUtilization_t: per cent of the last sample period.
struct Utilization {
  unsigned gpu;
  unsigned memory;
};

struct Nvml {
  int (*init)() = nullptr;
  int (*shutdown)() = nullptr;
  int (*count)(unsigned*) = nullptr;
  int (*device)(unsigned, Device*) = nullptr;
  int (*name)(Device, char*, unsigned) = nullptr;
  int (*uuid)(Device, char*, unsigned) = nullptr;
  int (*memory)(Device, MemoryInfo*) = nullptr;
  // These may be missing.
  int (*utilization)(Device, Utilization*) = nullptr;
  int (*driver_version)(char*, unsigned) = nullptr;

  explicit Nvml(void* library)
      : init(Find<int()>(library, "nvmlInit_v2")),
        shutdown(Find<int()>(library, "nvmlShutdown")),
        count(Find<int(unsigned*)>(library, "nvmlDeviceGetCount_v2")),
        device(Find<int(unsigned, Device*)>(library, "nvmlDeviceGetHandleByIndex_v2")),
        name(Find<int(Device, char*, unsigned)>(library, "nvmlDeviceGetName")),
        uuid(Find<int(Device, char*, unsigned)>(library, "nvmlDeviceGetUUID")),
        memory(Find<int(Device, MemoryInfo*)>(library, "nvmlDeviceGetMemoryInfo")),
        utilization(Find<int(Device, Utilization*)>(library, "nvmlDeviceGetUtilizationRates")),
        driver_version(Find<int(char*, unsigned)>(library, "nvmlSystemGetDriverVersion")) {}

  bool complete() const {
    return init != nullptr && shutdown != nullptr && count != nullptr && device != nullptr &&
           name != nullptr && uuid != nullptr && memory != nullptr;
  }
};

// The library, initialised; it is left when this goes.
class Library {
 public:
  // NOT_FOUND when it is not there, UNAVAILABLE when it does not work, with the reason.
  static absl::StatusOr<std::unique_ptr<Library>> Load(const std::string& path);
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  const Nvml& calls() const { return calls_; }

 private:
  explicit Library(void* handle) : handle_(handle), calls_(handle) {}

  void* const handle_;
  const Nvml calls_;
  bool initialised_ = false;
};

}  // namespace potok::agent::nvml
