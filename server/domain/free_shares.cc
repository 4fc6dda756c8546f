#include "server/domain/free_shares.h"

#include <algorithm>

namespace potok::server {

namespace {

constexpr std::int32_t kWholeShare = 1000;

std::int32_t ShareOf(std::int64_t free, std::int64_t capacity) {
  if (capacity <= 0 || free <= 0) return 0;
  const double part = static_cast<double>(free) / static_cast<double>(capacity);
  return static_cast<std::int32_t>(std::min(part, 1.0) * kWholeShare);
}

}  // namespace

void FreeShares::Put(MachineId machine, const Capacity& capacity, const Capacity& free) {
  const std::int32_t room = std::min(ShareOf(free.cpu_millis, capacity.cpu_millis),
                                     ShareOf(free.memory_bytes, capacity.memory_bytes));
  const std::int32_t gpus =
      ShareOf(free.gpu_millis, capacity.gpu_millis) * (kWholeShare + 1) + room;
  Remove(machine);
  shares_[machine] = {room, gpus};
  by_room_.emplace(-room, machine);
  by_gpus_.emplace(-gpus, machine);
}

void FreeShares::Remove(MachineId machine) {
  const auto known = shares_.find(machine);
  if (known == shares_.end()) return;
  by_room_.erase({-known->second.room, machine});
  by_gpus_.erase({-known->second.gpus, machine});
  shares_.erase(known);
}

}  // namespace potok::server
