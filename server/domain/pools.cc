#include "server/domain/pools.h"

#include <algorithm>
#include <set>

#include "common/pipeline/suggest.h"
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace potok::server {

namespace {

bool Declares(const MachineChanged& machine, const std::string& pool) {
  return std::ranges::find(machine.pools, pool) != machine.pools.end();
}

template <class Limit>
std::optional<std::int64_t> Left(const std::optional<Limit>& limit, std::int64_t used) {
  if (!limit.has_value()) return std::nullopt;
  return std::max<std::int64_t>(std::int64_t{*limit} - used, 0);
}

bool HasRoomFor(const std::optional<std::int64_t>& left, std::int64_t wanted) {
  return !left.has_value() || wanted <= *left;
}

void TakeOff(std::optional<std::int64_t>& left, std::int64_t taken) {
  if (left.has_value()) left = std::max<std::int64_t>(*left - taken, 0);
}

}  // namespace

bool IsInDefaultPool(const MachineChanged& machine) {
  return machine.pools.empty() || Declares(machine, kDefaultPool);
}

bool IsDefaultWithGpus(const MachineChanged& machine) {
  return machine.capacity.gpu_millis > 0 && IsInDefaultPool(machine);
}

bool PoolRoom::Fits(const Resources& request, std::int64_t members) const {
  return HasRoomFor(steps, members) && HasRoomFor(cpu_millis, request.cpu_millis * members) &&
         HasRoomFor(memory_bytes, request.memory_bytes * members) &&
         HasRoomFor(gpu_millis, request.gpu_millis * members);
}

void PoolRoom::Take(const Resources& request, std::int64_t members) {
  TakeOff(steps, members);
  TakeOff(cpu_millis, request.cpu_millis * members);
  TakeOff(memory_bytes, request.memory_bytes * members);
  TakeOff(gpu_millis, request.gpu_millis * members);
}

PoolRoom RoomOf(const PoolLimits& limits, const PoolUse& use) {
  return {Left(limits.running_steps, use.steps),
          Left(limits.cpu_millis, use.resources.cpu_millis),
          Left(limits.memory_bytes, use.resources.memory_bytes),
          Left(limits.gpu_millis, use.resources.gpu_millis)};
}

Pools::Pools(const State& state, const DecideOptions& options)
    : state_(state), unknown_is_default_(options.unknown_pool_is_default) {}

bool Pools::IsDeclared(const std::string& pool) const {
  return state_.declared_pools.contains(pool);
}

std::string Pools::Resolve(const std::string& pool) const {
  if (pool.empty() || pool == kDefaultPool || pool == kServerless) return "";
  if (state_.pools.contains(pool) || IsDeclared(pool)) return pool;
  if (pool == kCpuCluster) return "";
  if (pool == kGpuCluster) return unknown_is_default_ && state_.default_with_gpus == 0 ? "" : pool;
  return unknown_is_default_ ? "" : pool;
}

bool Pools::Holds(const MachineRecord& machine, const std::string& pool) const {
  const bool is_default = IsInDefaultPool(machine.facts);
  if (pool.empty()) return is_default;
  if (Declares(machine.facts, pool)) return true;
  const auto registered = state_.pools.find(pool);
  if (registered != state_.pools.end() && !registered->second.facts.selector.empty()) {
    return registered->second.selector.Matches(machine.labels);
  }
  if (IsDeclared(pool)) return false;
  if (registered != state_.pools.end()) return is_default;
  return pool == kGpuCluster && machine.facts.capacity.gpu_millis > 0 && is_default;
}

const PoolChanged* Pools::Registered(const std::string& pool) const {
  auto it = state_.pools.find(pool);
  if (it == state_.pools.end() && Resolve(pool).empty()) it = state_.pools.find(kDefaultPool);
  return it == state_.pools.end() ? nullptr : &it->second.facts;
}

bool Pools::Knows(const std::string& pool) const {
  return pool.empty() || pool == kDefaultPool || pool == kCpuCluster || pool == kGpuCluster ||
         pool == kServerless || IsDeclared(pool) || state_.pools.contains(pool);
}

std::vector<std::string> Pools::Names() const {
  std::set<std::string> names = {kCpuCluster, kGpuCluster, kServerless};
  for (const auto& [name, machines] : state_.declared_pools) names.insert(name);
  for (const auto& [name, pool] : state_.pools) names.insert(name);
  if (!state_.pools.contains(kDefaultPool)) names.erase(kDefaultPool);
  return {names.begin(), names.end()};
}

PoolUse Pools::UseOf(const std::string& pool) const {
  const std::string resolved = Resolve(pool);
  PoolUse all;
  if (!resolved.empty()) {
    const auto use = state_.pool_use.find(resolved);
    return use == state_.pool_use.end() ? all : use->second;
  }
  for (const auto& [name, use] : state_.pool_use) {
    if (!Resolve(name).empty()) continue;
    all.steps += use.steps;
    all.resources += use.resources;
  }
  return all;
}

PoolRoom Pools::RoomIn(const std::string& pool, const PoolUse& less) const {
  const PoolChanged* registered = Registered(pool);
  if (registered == nullptr) return {};
  PoolUse use = UseOf(pool);
  use.steps -= less.steps;
  use.resources -= less.resources;
  return RoomOf(registered->limits, use);
}

absl::Duration Pools::LeaseOf(const MachineRecord& machine, absl::Duration otherwise) const {
  std::optional<absl::Duration> longest;
  for (const auto& [name, pool] : state_.pools) {
    const std::optional<absl::Duration>& lease = pool.facts.lease;
    if (!lease.has_value() || (longest.has_value() && *lease <= *longest)) continue;
    if (Holds(machine, Resolve(name))) longest = lease;
  }
  return longest.value_or(otherwise);
}

PoolImages Pools::ImagesIn(const std::string& pool) const {
  const PoolChanged* registered = Registered(pool);
  return registered == nullptr ? PoolImages::kAsAgents : registered->images;
}

std::string NoSuchPool(const Pools& pools, const std::string& name) {
  const std::vector<std::string> names = pools.Names();
  const std::optional<std::string> nearest = NearestName(name, names);
  return fmt::format("there is no pool '{}'{}; the pools are {}",
                     name,
                     nearest.has_value() ? fmt::format(" (did you mean '{}'?)", *nearest) : "",
                     fmt::join(names, ", "));
}

}  // namespace potok::server
