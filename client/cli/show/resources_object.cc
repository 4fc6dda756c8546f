#include "client/cli/show/resources_object.h"

#include <map>
#include <string>
#include <utility>

#include "client/cli/show/object_values.h"
#include "common/base/resources.h"
#include "common/rpc/pipeline_convert.h"

namespace potok::client {

namespace {

Object ResourceMembers(const v1::Resources& resources) {
  const std::int32_t millis = GpuMillisOf(resources);
  const bool is_whole = millis % kMillisOfGpu == 0;
  const std::map<std::string, std::int64_t> counts(resources.named().begin(),
                                                   resources.named().end());
  Object named;
  for (const auto& [name, count] : counts) named.emplace_back(name, count);
  return {{"memory_bytes", resources.memory_bytes()},
          {"cpu_millis", resources.cpu_millis()},
          {"gpus", is_whole ? Value(millis / kMillisOfGpu) : Value(millis / 1000.0)},
          {"disk_bytes", resources.disk_bytes()},
          {"named", std::move(named)}};
}

}  // namespace

Value ResourcesObject(const v1::Resources& resources) {
  return Value(ResourceMembers(resources));
}

// All that a step asks of its machine.
Value RequestObject(const v1::Step& step) {
  Object members = ResourceMembers(step.resources());
  Array models;
  for (const std::string& model : step.gpu_models()) models.emplace_back(model);
  members.emplace_back("gpu_models", std::move(models));
  members.emplace_back("gpu_memory_bytes", step.gpu_memory_bytes());
  members.emplace_back("labels",
                       step.label_expression().empty() ? SortedTexts(step.labels())
                                                       : Value(step.label_expression()));
  return Value(std::move(members));
}

// What is not known is null.
Value UsageObject(const v1::Usage& usage) {
  const auto bytes = [](std::int64_t count) { return count == 0 ? Value() : Value(count); };
  return Value(Object{
      {"peak_memory_bytes", bytes(usage.peak_memory_bytes())},
      {"memory_bytes", bytes(usage.memory_bytes())},
      {"cpu_seconds", static_cast<double>(usage.cpu_us()) / 1e6},
      {"wall_seconds", static_cast<double>(usage.wall_us()) / 1e6},
      {"read_bytes", usage.has_read_bytes() ? Value(usage.read_bytes()) : Value()},
      {"written_bytes", usage.has_written_bytes() ? Value(usage.written_bytes()) : Value()},
      {"gpu_utilization", usage.has_gpu_utilization() ? Value(usage.gpu_utilization()) : Value()},
      {"gpu_peak_memory_bytes", bytes(usage.gpu_peak_memory_bytes())},
      {"child_out_of_memory", usage.child_out_of_memory()},
      {"fetched_bytes", usage.has_fetched_bytes() ? Value(usage.fetched_bytes()) : Value()},
      {"found_bytes", usage.has_found_bytes() ? Value(usage.found_bytes()) : Value()}});
}

}  // namespace potok::client
