// Which preemptible steps end for one whose team is guaranteed their room
// (docs/decisions/0043-preemption.md). Pure.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/domain/fit.h"
#include "server/domain/pools.h"
#include "server/domain/shares.h"

namespace potok::server {

// True if the guarantee covers the request beside what is held: it asks for something of which an
// amount is guaranteed, and goes beyond none of these amounts.
bool Covers(const Amounts& guaranteed, const Amounts& held, const Amounts& request);

// Likewise of a team that asks for so much in the pool, where `promised` counts as held: by what is
// guaranteed to it there, or over all pools. Which of the two it is, as people read it ("4 GPUs in
// pool gpu-cluster"); empty: neither.
std::string CoveredBy(const TeamRecord& team,
                      const std::string& pool,
                      const Amounts& promised,
                      const Amounts& promised_in_pool,
                      const Amounts& request);

// True if a team that keeps `held` can do without `given`: of what that is, nothing is left below
// the guarantee. What is not guaranteed counts for nothing.
bool CanGive(const Amounts& guaranteed, const Amounts& held, const Amounts& given);

// What ends as one: a step, or all members of one on several machines.
struct Victim {
  std::vector<StepKey> steps;
  std::string team;
  Amounts amounts;  // of all of them
  double lost = 0;  // how long they have run (s) times the share of all machines that they hold
  std::string pool = {};       // that they ask for, as PoolCounted says
  std::string limits_of = {};  // the pool of whose limits they hold something
};

// What one of them holds on a machine.
struct VictimPart {
  std::size_t victim = 0;
  Resources request;
  std::vector<std::int32_t> gpus;
};

// A machine that could hold the step that waits.
struct RoomToMake {
  MachineId machine = 0;
  Resources free;  // once all that is ending has ended
  std::vector<GpuRoom> gpus;
  std::vector<VictimPart> parts;  // what could be taken besides
};

// What a team keeps, but for what is ending, and what of it is guaranteed.
struct Standing {
  Amounts guaranteed;
  Amounts held;
};

struct Scene {
  std::vector<Victim> victims;
  std::vector<RoomToMake> rooms;
  std::map<std::string, Standing> teams;
  // By team and pool, of those pools of which something is guaranteed to the team.
  std::map<std::pair<std::string, std::string>, Standing> in_pools;
};

// Of all machines, in the order of their numbers.
Scene SceneOf(const State& state, const Pools& pools, absl::Time now);

// The registered pool in which teams take back what they are guaranteed; null: none of that name,
// or it does not allow it.
const PoolChanged* PoolThatAllows(const Pools& pools, const std::string& pool);

// What the limits of a pool have too little of for a step that waits.
struct PoolLack {
  std::string pool = {};
  std::int64_t steps = 0;
  Amounts amounts = {};
};
// Nothing where there is room; what is ending has ended.
PoolLack LackIn(const State& state, const Pools& pools, const Shape& shape, std::size_t members);

// Who wants room.
struct Taker {
  std::string team;
  const Shape& shape;
  std::size_t members = 1;
  bool may_share = false;  // members may be on one machine
  PoolLack lack = {};      // for all members: others that count for these limits end
};

struct Taking {
  std::vector<Placement> placements;  // for each member
  std::vector<std::size_t> victims;   // ascending; none: what is ending is enough
};

// The room for which the least work is lost, as far as it is found: on each machine those go first
// that have lost least, and then all are spared again that are not needed; or one alone, if that
// costs less. Of equal machines the lowest number. Members are given room one after another.
// Nothing: there is none. Never takes from the taker's team, nor leaves a team with less than what
// it is guaranteed.
std::optional<Taking> LeastTaking(Scene scene, const Taker& taker);

// Of a queued step that is promised room, one line: "room is being made on gpu-1: 2 preemptible
// steps of team nlp are stopping". Empty of others.
std::string ExplainPromise(const State& state, const RunRecord& run, std::uint32_t index);

}  // namespace potok::server
