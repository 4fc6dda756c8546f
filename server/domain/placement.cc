#include "server/domain/placement.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "server/domain/fit.h"
#include "server/domain/picker.h"

namespace potok::server {

namespace {

// A machine during the pass: what is left of it.
struct Candidate {
  const MachineRecord* machine = nullptr;
  Resources free;
  std::vector<std::int32_t> free_gpus;  // ascending
};

// Best fit first: the least free memory, then the fewest free CPUs, then the lowest number.
using Rank = std::tuple<std::int64_t, std::int32_t, MachineId>;

Rank RankOf(const Candidate& candidate) {
  return {candidate.free.memory_bytes, candidate.free.cpu_millis, candidate.machine->facts.id};
}

struct PoolIndex {
  std::set<Rank> by_rank;  // those with anything free
  bool reserved = false;   // its highest-ranked waiting step has been given its reservation
};

class Pass {
 public:
  Pass(const State& state, const DecideOptions& options) : state_(state), pools_(state, options) {
    for (const auto& [id, machine] : state.machines) {
      if (machine.session == 0 || machine.facts.liveness != Liveness::kReady) continue;
      Candidate candidate{&machine, FreeOf(machine), FreeGpusOf(machine)};
      candidate.free.gpus = static_cast<std::int32_t>(candidate.free_gpus.size());
      if (candidate.free.cpu_millis <= 0) continue;
      candidates_.emplace(id, std::move(candidate));
    }
  }

  std::vector<PlacementChoice> Run() {
    std::vector<PlacementChoice> choices;
    Picker picker(state_);
    while (!candidates_.empty()) {
      const std::optional<QueuePlace> next = picker.Next();
      if (!next.has_value()) break;
      const Shape& shape = state_.runs.at(next->step.run).plan->wanted[next->shape];
      std::optional<Placement> placement;
      if (!hopeless_.contains(shape)) placement = Choose(shape);
      if (placement.has_value()) {
        choices.push_back({next->step, *std::move(placement)});
        picker.Take();
      } else {
        hopeless_.insert(shape);
        picker.Refuse();
      }
    }
    return choices;
  }

 private:
  PoolIndex& IndexOf(const std::string& pool) {
    const auto [it, is_new] = index_.try_emplace(pool);
    if (!is_new) return it->second;
    for (const auto& [id, candidate] : candidates_) {
      if (pools_.Holds(candidate.machine->facts, pool)) {
        it->second.by_rank.insert(RankOf(candidate));
      }
    }
    return it->second;
  }

  std::optional<Placement> Choose(const Shape& shape) {
    PoolIndex& pool = IndexOf(pools_.Resolve(shape.pool));
    const Rank least{shape.request.memory_bytes, 0, 0};
    for (auto it = pool.by_rank.lower_bound(least); it != pool.by_rank.end(); ++it) {
      Candidate& candidate = candidates_.at(std::get<MachineId>(*it));
      if (!shape.request.FitsInto(candidate.free)) continue;
      if (!CarriesLabels(candidate.machine->facts, shape.labels)) continue;
      return Take(candidate, shape.request);
    }
    if (!pool.reserved) pool.reserved = Reserve(pool, shape);
    return std::nullopt;
  }

  Placement Take(Candidate& candidate, const Resources& request) {
    Placement placement{candidate.machine->facts.id, {}};
    const auto end = candidate.free_gpus.begin() + request.gpus;
    placement.gpus.assign(candidate.free_gpus.begin(), end);
    candidate.free_gpus.erase(candidate.free_gpus.begin(), end);
    Shrink(candidate, request);
    return placement;
  }

  // On the machine that is nearest to holding it. The distance of the nearest never grows while
  // what runs there ends and nothing that it needs is given away, so the step gets its turn.
  bool Reserve(const PoolIndex& pool, const Shape& shape) {
    using Distance = std::tuple<std::int64_t, std::int64_t, std::int64_t, MachineId>;
    std::optional<Distance> nearest;
    for (const Rank& rank : pool.by_rank) {
      const Candidate& candidate = candidates_.at(std::get<MachineId>(rank));
      if (!CouldHold(candidate.machine->facts, shape)) continue;
      const Resources lack = LackOf(shape.request, candidate.free);
      const Distance distance{
          lack.gpus, lack.memory_bytes, lack.cpu_millis, std::get<MachineId>(rank)};
      if (!nearest.has_value() || distance < *nearest) nearest = distance;
    }
    if (!nearest.has_value()) return false;
    Shrink(candidates_.at(std::get<MachineId>(*nearest)), shape.request);
    return true;
  }

  // Takes the request off what is free, and keeps the ranks of the machine right.
  void Shrink(Candidate& candidate, const Resources& request) {
    const Rank before = RankOf(candidate);
    Resources& free = candidate.free;
    free -= request;
    free.memory_bytes = std::max<std::int64_t>(free.memory_bytes, 0);
    free.cpu_millis = std::max(free.cpu_millis, 0);
    free.gpus = std::max(free.gpus, 0);
    const Rank after = RankOf(candidate);
    const bool full = free.cpu_millis == 0;
    for (auto& [name, pool] : index_) {
      if (pool.by_rank.erase(before) > 0 && !full) pool.by_rank.insert(after);
    }
    if (full) candidates_.erase(std::get<MachineId>(before));
  }

  const State& state_;
  const Pools pools_;
  std::map<MachineId, Candidate> candidates_;  // those with a CPU free
  std::map<std::string, PoolIndex> index_;     // by resolved pool
  std::set<Shape> hopeless_;                   // found to fit nowhere in this pass
};

}  // namespace

std::vector<PlacementChoice> Place(const State& state, const DecideOptions& options) {
  if (state.queued.empty()) return {};
  return Pass(state, options).Run();
}

}  // namespace potok::server
