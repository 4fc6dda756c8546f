#include "server/domain/placement/request.h"

#include "common/pipeline/gpu_model.h"

namespace potok::server::placing {

bool MayUse(const Request& request, const Gpu& gpu) {
  if (gpu.memory_bytes < request.gpu_memory_bytes) return false;
  return request.gpu_models.empty() || IsOneOfGpuModels(gpu.model, request.gpu_models);
}

}  // namespace potok::server::placing
