#include "agent/resources/nvml_meter.h"

#include <pthread.h>

#include <chrono>

#include "agent/resources/nvml_library.h"
#include "common/base/status_macros.h"

namespace potok::agent {

namespace {

constexpr std::chrono::seconds kBetweenReadings(1);

std::map<int, GpuReading> ReadAll(const nvml::Nvml& calls) {
  std::map<int, GpuReading> readings;
  unsigned count = 0;
  if (calls.count(&count) != nvml::kSuccess) return readings;
  for (unsigned i = 0; i < count; ++i) {
    nvml::Device device = nullptr;
    nvml::MemoryInfo memory{};
    nvml::Utilization utilization{};
    if (calls.device(i, &device) != nvml::kSuccess ||
        calls.memory(device, &memory) != nvml::kSuccess ||
        calls.utilization(device, &utilization) != nvml::kSuccess) {
      continue;
    }
    readings[static_cast<int>(i)] = {utilization.gpu / 100.0,
                                     static_cast<std::int64_t>(memory.used)};
  }
  return readings;
}

}  // namespace

absl::StatusOr<std::unique_ptr<NvmlMeter>> NvmlMeter::Open(const std::string& library) {
  POTOK_ASSIGN_OR_RETURN(std::unique_ptr<nvml::Library> loaded, nvml::Library::Load(library));
  if (loaded->calls().utilization == nullptr) {
    return absl::UnavailableError(library + " cannot say how busy GPUs are");
  }
  return std::unique_ptr<NvmlMeter>(new NvmlMeter(std::move(loaded)));
}

NvmlMeter::NvmlMeter(std::unique_ptr<nvml::Library> library)
    : library_(std::move(library)), latest_(ReadAll(library_->calls())) {
  thread_ = std::thread([this] { Run(); });
}

NvmlMeter::~NvmlMeter() {
  {
    MutexLock lock(mutex_);
    ending_ = true;
  }
  end_.notify_one();
  thread_.join();
}

std::map<int, GpuReading> NvmlMeter::Read() const {
  MutexLock lock(mutex_);
  return latest_;
}

void NvmlMeter::Run() {
  pthread_setname_np(pthread_self(), "gpu-meter");
  MutexLock lock(mutex_);
  while (!ending_) {
    end_.wait_for(lock.native(), kBetweenReadings);
    if (ending_) return;
    lock.native().unlock();
    std::map<int, GpuReading> readings = ReadAll(library_->calls());
    lock.native().lock();
    latest_ = std::move(readings);
  }
}

}  // namespace potok::agent
