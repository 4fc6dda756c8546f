// Room that is promised to queued steps (docs/decisions/0043-preemption.md): what the rules that
// give and redeem promises share. Pure; inside server/domain only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/domain/picker.h"
#include "server/domain/pools.h"
#include "server/domain/state.h"

namespace potok::server {

// True of an attempt that goes on; others on a machine are ending.
bool StaysOn(const StepState& state);

// The step's members on all machines, or itself. Its run has a plan.
std::vector<StepKey> AllOf(const RunRecord& run, std::uint32_t index);

// What is promised besides what is held.
struct PromisedNow {
  PlacedNow all;
  PlacedNow of_user;
  Held of_team_in_pool;
  std::uint32_t of_run = 0;
  PoolRoom in_pool;  // what its limits leave
};

// To all steps, as far as it counts for steps of the run that ask for the pool.
PromisedNow PromisedBesides(const State& state,
                            const Pools& pools,
                            const RunRecord& run,
                            const std::string& pool);

// Whether nothing but room keeps so many such steps from being placed: neither the run's limit nor
// those of its pool, team and user.
bool WouldBePlaced(const State& state,
                   const PromisedNow& promised,
                   const RunRecord& run,
                   const Shape& shape,
                   std::uint32_t count);

// How much more the steps of the pool may take once those that are ending have ended, and those
// that are promised room have begun.
PoolRoom RoomOnceEnded(const State& state, const Pools& pools, const std::string& pool);
// Takes off the room what is promised to steps that count for the pool's limits.
void TakePromised(const State& state, const Pools& pools, const std::string& pool, PoolRoom* room);

}  // namespace potok::server
