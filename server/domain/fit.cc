#include "server/domain/fit.h"

#include <algorithm>

namespace potok::server {

namespace {

constexpr const char* kDefaultPool = "default";

}  // namespace

Pools::Pools(const State& state, const DecideOptions& options)
    : unknown_is_default_(options.unknown_pool_is_default) {
  for (const auto& [id, machine] : state.machines) {
    names_.insert(machine.facts.pools.begin(), machine.facts.pools.end());
  }
}

std::string Pools::Resolve(const std::string& pool) const {
  if (pool == kDefaultPool) return "";
  if (unknown_is_default_ && !names_.contains(pool)) return "";
  return pool;
}

bool Pools::Holds(const MachineChanged& machine, const std::string& pool) const {
  const std::vector<std::string>& pools = machine.pools;
  if (pool.empty() && pools.empty()) return true;
  const std::string name = pool.empty() ? kDefaultPool : pool;
  return std::find(pools.begin(), pools.end(), name) != pools.end();
}

bool CarriesLabels(const MachineChanged& machine,
                   const std::map<std::string, std::string>& labels) {
  return std::all_of(labels.begin(), labels.end(), [&](const auto& label) {
    const auto it = machine.labels.find(label.first);
    return it != machine.labels.end() && it->second == label.second;
  });
}

bool CouldHold(const MachineChanged& machine, const Shape& shape) {
  return shape.request.FitsInto(machine.capacity) && CarriesLabels(machine, shape.labels);
}

Resources FreeOf(const MachineRecord& machine) {
  Resources free = machine.facts.capacity;
  free -= machine.reserved;
  return free;
}

std::vector<std::int32_t> FreeGpusOf(const MachineRecord& machine) {
  std::vector<std::int32_t> free;
  const auto add = [&](std::int32_t index) {
    if (!machine.gpus_held.contains(index)) free.push_back(index);
  };
  // A machine may say how many GPUs it has without describing them.
  if (machine.facts.gpus.empty()) {
    for (std::int32_t i = 0; i < machine.facts.capacity.gpus; ++i) add(i);
  } else {
    for (const GpuInfo& gpu : machine.facts.gpus) add(gpu.index);
  }
  std::sort(free.begin(), free.end());
  // Described ones beyond what it offers are not ours to give.
  const auto offered = static_cast<std::size_t>(std::max(FreeOf(machine).gpus, 0));
  if (free.size() > offered) free.resize(offered);
  return free;
}

Resources LackOf(const Resources& request, const Resources& free) {
  Resources lack = request;
  lack -= free;
  lack.memory_bytes = std::max<std::int64_t>(lack.memory_bytes, 0);
  lack.cpu_millis = std::max(lack.cpu_millis, 0);
  lack.gpus = std::max(lack.gpus, 0);
  return lack;
}

}  // namespace potok::server
