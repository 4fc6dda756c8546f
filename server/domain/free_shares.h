// The machines of a pool by how much of them is free, the emptiest first. Pure; one thread.
#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include "absl/container/btree_set.h"
#include "server/domain/step_state.h"

namespace potok::server {

class FreeShares {
 public:
  struct Capacity {
    std::int32_t cpu_millis = 0;
    std::int64_t memory_bytes = 0;
    std::int32_t gpu_millis = 0;
  };
  // By minus the free share, in thousandths, and the machine's number.
  using Order = absl::btree_set<std::pair<std::int32_t, MachineId>>;

  // So much of the machine is free now. What is owed is no share.
  void Put(MachineId machine, const Capacity& capacity, const Capacity& free);
  void Remove(MachineId machine);

  bool empty() const { return shares_.empty(); }
  // By the smaller of the shares of CPU and memory.
  const Order& by_room() const { return by_room_; }
  // By the share of GPUs, then as by_room.
  const Order& by_gpus() const { return by_gpus_; }

 private:
  struct Shares {
    std::int32_t room = 0;
    std::int32_t gpus = 0;
  };
  std::map<MachineId, Shares> shares_;
  Order by_room_;
  Order by_gpus_;
};

}  // namespace potok::server
