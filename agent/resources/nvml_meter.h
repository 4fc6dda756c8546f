// Reads NVIDIA's GPUs every second on a thread of its own: a call of NVML may take 100 ms, and
// longer where a GPU is in trouble.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "agent/resources/gpu_meter.h"
#include "common/runtime/mutex.h"

namespace potok::agent {

namespace nvml {
class Library;
}  // namespace nvml

class NvmlMeter final : public GpuMeter {
 public:
  // Loads `library` (normally libnvidia-ml.so.1) for the time of its life. NOT_FOUND when it is not
  // there, UNAVAILABLE when it does not work, with the reason. The first reading is there at once.
  static absl::StatusOr<std::unique_ptr<NvmlMeter>> Open(const std::string& library);
  // Waits for a reading that is under way.
  ~NvmlMeter() override;

  std::map<int, GpuReading> Read() const override;

 private:
  explicit NvmlMeter(std::unique_ptr<nvml::Library> library);

  void Run();

  const std::unique_ptr<nvml::Library> library_;
  mutable Mutex mutex_;
  std::condition_variable end_;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<int, GpuReading> latest_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace potok::agent
