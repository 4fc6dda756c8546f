// Who could end for a step that waits, and what machines would have then.
#include <algorithm>
#include <utility>

#include "server/domain/gang.h"
#include "server/domain/preemption.h"
#include "server/domain/promise.h"

namespace potok::server {

namespace {

bool IsPreemptible(const Pools& pools, const RunRecord& run, std::uint32_t index) {
  const PoolChanged* pool = PoolThatAllows(pools, run.plan->shape_of(index).pool);
  return pool != nullptr && run.plan->definition(index).preemptible.value_or(pool->low_priority);
}

// What all machines hold, and who could end for another.
class SceneMaker {
 public:
  SceneMaker(const State& state, const Pools& pools, absl::Time now)
      : state_(state), pools_(pools), now_(now) {
    for (const auto& [name, team] : state.teams) {
      scene_.teams[name].guaranteed = team.facts.guaranteed;
      for (const auto& [pool, share] : team.facts.pools) {
        if (share.guaranteed == Amounts{}) continue;
        scene_.in_pools[{name, pool}].guaranteed = share.guaranteed;
      }
    }
    for (const auto& [id, machine] : state.machines) AddRoom(machine);
  }
  Scene Take() { return std::move(scene_); }

 private:
  void AddRoom(const MachineRecord& machine) {
    RoomToMake room{machine.facts.id, FreeOf(machine), GpusOf(machine), {}};
    for (const AttemptKey& key : machine.holding) {
      const auto found = state_.runs.find(key.run);
      if (found == state_.runs.end() || found->second.plan == nullptr) continue;
      Add(found->second, key, &room);
    }
    scene_.rooms.push_back(std::move(room));
  }

  void Add(const RunRecord& run, const AttemptKey& key, RoomToMake* room) {
    const StepRecord& step = run.steps[key.index];
    const Resources request = RequestOf(run, key.index);
    const std::vector<std::int32_t>& gpus = PlacementOf(step.state())->gpus;
    if (!StaysOn(step.state())) {
      room->free += request;
      for (GpuRoom& gpu : room->gpus) {
        if (std::ranges::find(gpus, gpu.index) == gpus.end()) continue;
        gpu.free_millis += MillisOfEach(request);
      }
      return;
    }
    scene_.teams[run.team].held += AmountsOf(request);
    const std::string pool = PoolCounted(run.plan->shape_of(key.index).pool);
    const auto in_pool = scene_.in_pools.find({run.team, pool});
    if (in_pool != scene_.in_pools.end()) in_pool->second.held += AmountsOf(request);
    if (!IsPreemptible(pools_, run, key.index)) return;
    const std::size_t number = NumberOf(run, key.index);
    Victim& victim = scene_.victims[number];
    victim.steps.push_back(key.step());
    victim.amounts += AmountsOf(request);
    const absl::Duration ran = std::holds_alternative<Running>(step.state())
                                   ? std::max(now_ - step.since, absl::ZeroDuration())
                                   : absl::ZeroDuration();
    victim.lost += absl::ToDoubleSeconds(ran) * ShareOf(AmountsOf(request), state_.living);
    room->parts.push_back({number, request, gpus});
  }

  // Of the victim of which it is.
  std::size_t NumberOf(const RunRecord& run, std::uint32_t index) {
    const std::optional<Membership> member = MembershipOf(*run.plan, index);
    const StepKey first{run.id, member.has_value() ? member->first : index};
    const auto [it, is_new] = numbers_.try_emplace(first, scene_.victims.size());
    if (is_new) {
      const std::string& pool = run.plan->shape_of(index).pool;
      scene_.victims.push_back({{}, run.team, {}, 0, PoolCounted(pool), pools_.Resolve(pool)});
    }
    return it->second;
  }

  const State& state_;
  const Pools& pools_;
  const absl::Time now_;
  Scene scene_;
  std::map<StepKey, std::size_t> numbers_;
};

}  // namespace

const PoolChanged* PoolThatAllows(const Pools& pools, const std::string& pool) {
  const PoolChanged* registered = pools.Registered(pool);
  return registered != nullptr && registered->preemption ? registered : nullptr;
}

PoolLack LackIn(const State& state, const Pools& pools, const Shape& shape, std::size_t members) {
  const PoolRoom room = RoomOnceEnded(state, pools, shape.pool);
  const auto count = static_cast<std::int64_t>(members);
  const auto lack = [](const std::optional<std::int64_t>& left, std::int64_t wanted) {
    return left.has_value() ? std::max<std::int64_t>(wanted - *left, 0) : 0;
  };
  return {pools.Resolve(shape.pool),
          lack(room.steps, count),
          {lack(room.memory_bytes, shape.request.memory_bytes * count),
           lack(room.cpu_millis, shape.request.cpu_millis * count),
           lack(room.gpu_millis, shape.request.gpu_millis * count)}};
}

Scene SceneOf(const State& state, const Pools& pools, absl::Time now) {
  return SceneMaker(state, pools, now).Take();
}

}  // namespace potok::server
