// Promises of room: when one can be kept, and what comes of it.
#include <algorithm>
#include <map>
#include <utility>

#include "server/domain/fit.h"
#include "server/domain/gang.h"
#include "server/domain/promise.h"
#include "server/domain/turn.h"

namespace potok::server {

namespace {

// What the steps would need together on each of their machines.
struct Needed {
  Resources request;
  std::map<std::int32_t, std::int32_t> gpus;
};

std::map<MachineId, Needed> NeededBy(const RunRecord& run, const std::vector<StepKey>& steps) {
  std::map<MachineId, Needed> needed;
  for (const StepKey& step : steps) {
    const Placement& promised = *PromisedTo(run.steps[step.index].state());
    const Resources request = RequestOf(run, step.index);
    needed[promised.machine].request += request;
    for (const std::int32_t gpu : promised.gpus) {
      needed[promised.machine].gpus[gpu] += MillisOfEach(request);
    }
  }
  return needed;
}

bool IsFreeNow(const State& state, const std::map<MachineId, Needed>& needed) {
  return std::ranges::all_of(needed, [&](const auto& entry) {
    const MachineRecord& machine = state.machines.at(entry.first);
    Resources free = machine.facts.capacity;
    free -= machine.reserved;
    if (!TakesSteps(machine) || !entry.second.request.FitsInto(free)) return false;
    return std::ranges::all_of(entry.second.gpus, [&](const auto& gpu) {
      const auto held = machine.gpus_held.find(gpu.first);
      return (held == machine.gpus_held.end() ? 0 : held->second) + gpu.second <= kMillisOfGpu;
    });
  });
}

// Whether the machine will have all that is promised there once what is ending has ended.
bool WillHavePromised(const State& state, const MachineRecord& machine) {
  Resources free = machine.facts.capacity;
  for (const AttemptKey& key : machine.holding) {
    const RunRecord& run = state.runs.at(key.run);
    if (StaysOn(run.steps[key.index].state())) free -= RequestOf(run, key.index);
  }
  return machine.promised.FitsInto(free);
}

bool HasGpus(const MachineRecord& machine, const Placement& promised, const Shape& shape) {
  const std::vector<GpuRoom> gpus = AllGpusOf(machine.facts);
  return std::ranges::all_of(promised.gpus, [&](std::int32_t index) {
    const auto gpu = std::ranges::find(gpus, index, &GpuRoom::index);
    return gpu != gpus.end() && SuitsShape(*gpu, shape);
  });
}

// Whether what is promised to the step can still be had. A machine whose agent is away for a moment
// is waited for.
bool StandsFor(const State& state, const Pools& pools, const RunRecord& run, const StepKey& step) {
  const Placement* promised = PromisedTo(run.steps[step.index].state());
  if (promised == nullptr || ParkedOf(run) != Parked::kNot) return false;
  const MachineRecord& machine = state.machines.at(promised->machine);
  const bool is_there = machine.facts.liveness == Liveness::kReady;
  const Shape shape = ShapeAskedFor(run, step.index);
  return is_there && !IsCordoned(machine.facts) && !machine.facts.quarantine.has_value() &&
         pools.Holds(machine, pools.Resolve(shape.pool)) && CouldHold(machine, shape, pools) &&
         HasGpus(machine, *promised, shape) && WillHavePromised(state, machine);
}

void Withdraw(Turn& turn, const std::vector<StepKey>& steps) {
  for (const StepKey& step : steps) {
    if (turn.state.promised.contains(step)) MoveStep(turn, step, RoomPromised{});
  }
}

// What is held by steps that count for the limits of the pool and are ending.
PoolUse EndingIn(const State& state, const Pools& pools, const std::string& pool) {
  const std::string resolved = pools.Resolve(pool);
  PoolUse ending;
  for (const auto& [id, machine] : state.machines) {
    for (const AttemptKey& key : machine.holding) {
      const auto found = state.runs.find(key.run);
      if (found == state.runs.end() || found->second.plan == nullptr) continue;
      const RunRecord& run = found->second;
      if (StaysOn(run.steps[key.index].state())) continue;
      if (pools.Resolve(run.plan->shape_of(key.index).pool) != resolved) continue;
      ++ending.steps;
      ending.resources += RequestOf(run, key.index);
    }
  }
  return ending;
}

// What is promised to steps that count for the limits of the pool.
PoolUse PromisedIn(const State& state, const Pools& pools, const std::string& pool) {
  const std::string resolved = pools.Resolve(pool);
  PoolUse promised;
  for (const StepKey& key : state.promised) {
    const RunRecord& run = state.runs.at(key.run);
    if (pools.Resolve(run.plan->shape_of(key.index).pool) != resolved) continue;
    ++promised.steps;
    promised.resources += RequestOf(run, key.index);
  }
  return promised;
}

// Whether what people allow still lets the steps, which are promised room, be placed.
bool IsAllowed(const State& state,
               const Pools& pools,
               const RunRecord& run,
               const std::vector<StepKey>& steps) {
  const Shape shape = ShapeAskedFor(run, steps.front().index);
  PromisedNow none;
  none.in_pool = pools.RoomIn(shape.pool);
  return WouldBePlaced(state, none, run, shape, static_cast<std::uint32_t>(steps.size()));
}

// Whether only the limits of the pool are in the way, and those only until what is ending has
// ended.
bool WillBeAllowed(const State& state,
                   const Pools& pools,
                   const RunRecord& run,
                   const std::vector<StepKey>& steps) {
  const Shape shape = ShapeAskedFor(run, steps.front().index);
  const PoolUse promised = PromisedIn(state, pools, shape.pool);
  const PoolRoom room = pools.RoomIn(shape.pool, EndingIn(state, pools, shape.pool));
  if (!room.Fits(promised.resources) || !room.Fits({}, promised.steps)) return false;
  return WouldBePlaced(state, {}, run, shape, static_cast<std::uint32_t>(steps.size()));
}

// Places the steps if their room is there; takes it back from them if it will not be.
void Redeem(Turn& turn, const Pools& pools, const StepKey& first, std::vector<StepKey>* placed) {
  const RunRecord& run = turn.state.runs.at(first.run);
  const std::vector<StepKey> steps = AllOf(run, first.index);
  const bool stands = std::ranges::all_of(
      steps, [&](const StepKey& step) { return StandsFor(turn.state, pools, run, step); });
  if (!stands) return Withdraw(turn, steps);
  if (!IsFreeNow(turn.state, NeededBy(run, steps))) return;
  if (!IsAllowed(turn.state, pools, run, steps)) {
    if (!WillBeAllowed(turn.state, pools, run, steps)) Withdraw(turn, steps);
    return;
  }
  for (const StepKey& step : steps) {
    const auto found = turn.state.runs.find(step.run);
    if (found == turn.state.runs.end()) return;
    const Placement* promised = PromisedTo(found->second.steps[step.index].state());
    if (promised == nullptr) return;
    MoveStep(turn, step, Placed{Placement(*promised)});
    placed->push_back(step);
  }
}

}  // namespace

bool StaysOn(const StepState& state) {
  return std::holds_alternative<Assigned>(state) || std::holds_alternative<Running>(state);
}

std::vector<StepKey> AllOf(const RunRecord& run, std::uint32_t index) {
  const std::optional<Membership> member = MembershipOf(*run.plan, index);
  if (!member.has_value()) return {{run.id, index}};
  std::vector<StepKey> steps;
  for (std::uint32_t i = 0; i < member->size; ++i) steps.push_back({run.id, member->first + i});
  return steps;
}

PoolRoom RoomOnceEnded(const State& state, const Pools& pools, const std::string& pool) {
  PoolRoom room = pools.RoomIn(pool, EndingIn(state, pools, pool));
  TakePromised(state, pools, pool, &room);
  return room;
}

void TakePromised(const State& state, const Pools& pools, const std::string& pool, PoolRoom* room) {
  const PoolUse promised = PromisedIn(state, pools, pool);
  if (promised.steps == 0) return;
  room->Take(promised.resources);
  room->Take({}, promised.steps - 1);
}

PromisedNow PromisedBesides(const State& state,
                            const Pools& pools,
                            const RunRecord& run,
                            const std::string& pool) {
  PromisedNow promised;
  const std::string resolved = pools.Resolve(pool);
  promised.in_pool = pools.RoomIn(pool);
  for (const StepKey& key : state.promised) {
    const RunRecord& other = state.runs.at(key.run);
    const Resources request = RequestOf(other, key.index);
    if (pools.Resolve(other.plan->shape_of(key.index).pool) == resolved) {
      promised.in_pool.Take(request);
    }
    if (other.id == run.id) ++promised.of_run;
    if (other.team != run.team) continue;
    promised.all.amounts += AmountsOf(request);
    ++promised.all.steps;
    if (PoolCounted(other.plan->shape_of(key.index).pool) == PoolCounted(pool)) {
      promised.of_team_in_pool.amounts += AmountsOf(request);
      ++promised.of_team_in_pool.steps;
    }
    if (other.submitter == run.submitter) ++promised.of_user.steps;
  }
  return promised;
}

bool WouldBePlaced(const State& state,
                   const PromisedNow& promised,
                   const RunRecord& run,
                   const Shape& shape,
                   std::uint32_t count) {
  if (ParkedOf(run) != Parked::kNot) return false;
  const std::uint32_t limit = LimitOf(run);
  if (limit > 0 && run.placed + promised.of_run + count > limit) return false;
  if (!promised.in_pool.Fits(shape.request, count)) return false;
  const TeamRecord& team = state.teams.at(run.team);
  const Amounts request = AmountsOf(shape.request);
  Amounts held = team.use.held;
  held += promised.all.amounts;
  held += TimesOf(request, count - 1);
  Held in_pool = promised.of_team_in_pool;
  in_pool.amounts += TimesOf(request, count - 1);
  in_pool.steps += count - 1;
  if (LimitingIn(team, in_pool, {request, PoolCounted(shape.pool)}) != Limiting::kNothing) {
    return false;
  }
  const auto user = team.users.find(run.submitter);
  const std::int64_t user_steps = user == team.users.end() ? 0 : user->second.steps;
  return LimitingOf(team.facts,
                    held,
                    std::int64_t{team.use.steps} + promised.all.steps + count - 1,
                    user_steps + promised.of_user.steps + count - 1,
                    request) == Limiting::kNothing;
}

std::vector<StepKey> PlacePromised(Turn& turn) {
  std::vector<StepKey> placed;
  if (turn.state.promised.empty()) return placed;
  const Pools pools(turn.state, turn.options);
  const std::set<StepKey> promised = turn.state.promised;
  for (const StepKey& key : promised) {
    if (turn.state.promised.contains(key)) Redeem(turn, pools, key, &placed);
  }
  return placed;
}

}  // namespace potok::server
