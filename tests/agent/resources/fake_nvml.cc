// NVIDIA's management library as far as Potok calls it, with three devices; the second one fails.
#include <cstdint>
#include <cstdio>

namespace {

constexpr int kSuccess = 0;
constexpr int kGpuIsLost = 15;  // NVML_ERROR_GPU_IS_LOST

struct Memory {
  unsigned long long total;
  unsigned long long free;
  unsigned long long used;
};

struct Utilization {
  unsigned gpu;
  unsigned memory;
};

unsigned IndexOf(void* device) {
  return static_cast<unsigned>(reinterpret_cast<std::uintptr_t>(device)) - 1;
}

}  // namespace

extern "C" {

int nvmlInit_v2() {
  return kSuccess;
}
int nvmlShutdown() {
  return kSuccess;
}

int nvmlSystemGetDriverVersion(char* version, unsigned size) {
  std::snprintf(version, size, "535.104.05");
  return kSuccess;
}

int nvmlDeviceGetCount_v2(unsigned* count) {
  *count = 3;
  return kSuccess;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** device) {
  *device = reinterpret_cast<void*>(static_cast<std::uintptr_t>(index) + 1);
  return index == 1 ? kGpuIsLost : kSuccess;
}

int nvmlDeviceGetName(void* device, char* name, unsigned size) {
  std::snprintf(name, size, "Fake GPU %u", IndexOf(device));
  return kSuccess;
}

int nvmlDeviceGetUUID(void* device, char* uuid, unsigned size) {
  std::snprintf(uuid, size, "GPU-%u", IndexOf(device));
  return kSuccess;
}

int nvmlDeviceGetMemoryInfo(void* /*device*/, Memory* memory) {
  *memory = {80ULL << 30, 70ULL << 30, 10ULL << 30};
  return kSuccess;
}

int nvmlDeviceGetUtilizationRates(void* device, Utilization* utilization) {
  *utilization = {IndexOf(device) == 0 ? 50U : 100U, 10};
  return kSuccess;
}

}  // extern "C"
