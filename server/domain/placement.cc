#include "server/domain/placement.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "server/domain/fit.h"
#include "server/domain/picker.h"
#include "server/domain/reservation.h"

namespace potok::server {

namespace {

// What a machine is kept for: a step that begins on it at that time at the latest.
struct Kept {
  absl::Time from;
  Resources spare;  // what others may still hold then
};

// A machine during the pass: what is left of it.
struct Candidate {
  const MachineRecord* machine = nullptr;
  Resources free;
  std::vector<std::int32_t> free_gpus;  // ascending
  std::optional<Kept> kept = std::nullopt;
};

// What a queued step wants, and when it ends at the latest if it begins now.
struct Wish {
  const Shape& shape;
  absl::Time end;
};

// Whether it may begin on the machine without delaying what that is kept for.
bool GoesAround(const Wish& wish, const Candidate& candidate) {
  if (!candidate.kept.has_value() || wish.end <= candidate.kept->from) return true;
  return wish.shape.request.FitsInto(candidate.kept->spare);
}

Resources NotBelowZero(Resources resources) {
  resources.memory_bytes = std::max<std::int64_t>(resources.memory_bytes, 0);
  resources.cpu_millis = std::max(resources.cpu_millis, 0);
  resources.gpus = std::max(resources.gpus, 0);
  return resources;
}

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
  Pass(const State& state, const DecideOptions& options, absl::Time now)
      : state_(state), pools_(state, options), now_(now) {
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
      const RunRecord& run = state_.runs.at(next->step.run);
      const Wish wish{run.plan->wanted[next->shape], LatestEnd(run, next->step.index, now_)};
      std::optional<Placement> placement;
      if (!hopeless_.contains({wish.shape, wish.end})) placement = Choose(wish);
      if (placement.has_value()) {
        choices.push_back({next->step, *std::move(placement)});
        picker.Take();
      } else {
        hopeless_.emplace(wish.shape, wish.end);
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

  std::optional<Placement> Choose(const Wish& wish) {
    const Shape& shape = wish.shape;
    const std::string name = pools_.Resolve(shape.pool);
    PoolIndex& pool = IndexOf(name);
    const Rank least{shape.request.memory_bytes, 0, 0};
    for (auto it = pool.by_rank.lower_bound(least); it != pool.by_rank.end(); ++it) {
      Candidate& candidate = candidates_.at(std::get<MachineId>(*it));
      if (!shape.request.FitsInto(candidate.free) || !GoesAround(wish, candidate)) continue;
      if (!CarriesLabels(candidate.machine->facts, shape.labels)) continue;
      return Take(candidate, wish);
    }
    if (!pool.reserved) pool.reserved = ReserveInTime(name, shape) || Reserve(pool, shape);
    return std::nullopt;
  }

  Placement Take(Candidate& candidate, const Wish& wish) {
    const Resources& request = wish.shape.request;
    Placement placement{candidate.machine->facts.id, {}};
    const auto end = candidate.free_gpus.begin() + request.gpus;
    placement.gpus.assign(candidate.free_gpus.begin(), end);
    candidate.free_gpus.erase(candidate.free_gpus.begin(), end);
    if (candidate.kept.has_value() && wish.end > candidate.kept->from) {
      candidate.kept->spare -= request;
    }
    Shrink(candidate, request);
    return placement;
  }

  // On the machine that will have room for it soonest, of those of which that is known: also one
  // that has nothing free now. It is never later than it was in an earlier pass, since time limits
  // only say by when, and whoever goes around it has gone by then or takes what is to spare.
  bool ReserveInTime(const std::string& pool, const Shape& shape) {
    Opening soonest;
    MachineId machine = 0;
    for (const auto& [id, record] : state_.machines) {
      if (record.session == 0 || record.facts.liveness != Liveness::kReady) continue;
      if (!pools_.Holds(record.facts, pool) || !CouldHold(record.facts, shape)) continue;
      const auto candidate = candidates_.find(id);
      // What another pool's step is kept on is not promised twice.
      if (candidate != candidates_.end() && candidate->second.kept.has_value()) continue;
      const Resources free =
          candidate == candidates_.end() ? NotBelowZero(FreeOf(record)) : candidate->second.free;
      const Opening opening = OpeningFor(state_, record, free, shape.request, now_);
      if (opening.at >= soonest.at) continue;
      soonest = opening;
      machine = id;
    }
    if (machine == 0) return false;
    const auto candidate = candidates_.find(machine);
    if (candidate == candidates_.end()) return true;  // there is nothing on it to go around with
    Resources spare = soonest.free;
    spare -= shape.request;
    candidate->second.kept = Kept{soonest.at, spare};
    return true;
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
    free = NotBelowZero(free);
    const Rank after = RankOf(candidate);
    const bool full = free.cpu_millis == 0;
    for (auto& [name, pool] : index_) {
      if (pool.by_rank.erase(before) > 0 && !full) pool.by_rank.insert(after);
    }
    if (full) candidates_.erase(std::get<MachineId>(before));
  }

  const State& state_;
  const Pools pools_;
  const absl::Time now_;
  std::map<MachineId, Candidate> candidates_;        // those with a CPU free
  std::map<std::string, PoolIndex> index_;           // by resolved pool
  std::set<std::pair<Shape, absl::Time>> hopeless_;  // found to fit nowhere in this pass
};

}  // namespace

std::vector<PlacementChoice> Place(const State& state,
                                   const DecideOptions& options,
                                   absl::Time now) {
  if (state.queued.empty()) return {};
  return Pass(state, options, now).Run();
}

}  // namespace potok::server
