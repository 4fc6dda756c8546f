// Machines and requests for tests of the placement engine, in few words.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/domain/placement/engine.h"

namespace potok::server::placing {

constexpr std::int64_t kGib = 1LL << 30;

inline Machine AHost(std::int32_t cpus, int gibs, int gpus = 0, const std::string& model = "A") {
  Machine machine;
  machine.cpu_millis = cpus * 1000;
  machine.memory_bytes = gibs * kGib;
  for (std::int32_t i = 0; i < gpus; ++i) machine.gpus.push_back({model, 16 * kGib, i});
  return machine;
}

inline Request ARequest(std::int32_t cpus, int gibs, std::int32_t gpu_millis = 0) {
  Request request;
  request.cpu_millis = cpus * 1000;
  request.memory_bytes = gibs * kGib;
  request.gpu_millis = gpu_millis;
  return request;
}

inline Request OnModels(Request request, std::vector<std::string> models) {
  request.gpu_models = std::move(models);
  return request;
}

// Sees, chooses and takes; what was chosen.
inline std::optional<Choice> Put(Engine& engine, const Request& request) {
  const ShapeId shape = engine.Intern(request);
  engine.Saw(shape);
  std::optional<Choice> choice = engine.Choose(shape);
  if (choice.has_value()) engine.Take(shape, *choice);
  return choice;
}

}  // namespace potok::server::placing
