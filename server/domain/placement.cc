#include "server/domain/placement.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "server/domain/fit.h"
#include "server/domain/gang.h"
#include "server/domain/picker.h"
#include "server/domain/reservation.h"

namespace potok::server {

namespace {

// What a machine is kept for: a step that begins on it at that time at the latest.
struct Kept {
  absl::Time from;
  Resources spare;  // what others may still hold then
  std::vector<GpuRoom> spare_gpus;
};

// A machine during the pass: what is left of it.
struct Candidate {
  const MachineRecord* machine = nullptr;
  Resources free;
  std::vector<GpuRoom> gpus;
  std::optional<Kept> kept = std::nullopt;
};

// What a queued step wants, and when it ends at the latest if it begins now.
struct Wish {
  const Shape& shape;
  absl::Time end;
};

// True if it would still be there when what the machine is kept for begins.
bool Meets(const Wish& wish, const Candidate& candidate) {
  return candidate.kept.has_value() && wish.end > candidate.kept->from;
}

// GPUs for a step that begins on the machine now, and does not delay what that is kept for.
std::optional<std::vector<std::int32_t>> GpusFor(const Wish& wish, const Candidate& candidate) {
  if (!wish.shape.request.FitsInto(candidate.free)) return std::nullopt;
  if (!Meets(wish, candidate)) return PickGpus(candidate.gpus, wish.shape);
  if (!wish.shape.request.FitsInto(candidate.kept->spare)) return std::nullopt;
  std::vector<GpuRoom> gpus = candidate.gpus;
  for (std::size_t i = 0; i < gpus.size(); ++i) {
    gpus[i].free_millis = std::min(gpus[i].free_millis, candidate.kept->spare_gpus[i].free_millis);
  }
  return PickGpus(gpus, wish.shape);
}

Resources NotBelowZero(Resources resources) {
  resources.memory_bytes = std::max<std::int64_t>(resources.memory_bytes, 0);
  resources.cpu_millis = std::max(resources.cpu_millis, 0);
  resources.gpu_millis = std::max(resources.gpu_millis, 0);
  resources.disk_bytes = std::max<std::int64_t>(resources.disk_bytes, 0);
  std::erase_if(resources.named, [](const auto& entry) { return entry.second < 0; });
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
  PoolRoom room;           // what its limits leave
  bool limited = false;    // the highest-ranked step that they hold up has been given its share
};

class Pass {
 public:
  Pass(const State& state, const DecideOptions& options, absl::Time now)
      : state_(state), pools_(state, options), now_(now) {
    for (const auto& [id, machine] : state.machines) {
      if (!TakesSteps(machine)) continue;
      Candidate candidate{&machine, FreeOf(machine), GpusOf(machine)};
      if (candidate.free.cpu_millis <= 0) continue;
      candidates_.emplace(id, std::move(candidate));
    }
  }

  std::vector<PlacementChoice> Run() {
    std::vector<PlacementChoice> choices;
    Picker picker(state_, now_);
    while (!candidates_.empty()) {
      const std::optional<QueuePlace> next = picker.Next();
      if (!next.has_value()) break;
      const RunRecord& run = state_.runs.at(next->step.run);
      std::optional<Shape> raised;
      if (next->shape >= kRaisedLanes) raised = ShapeAskedFor(run, next->step.index);
      const Wish wish{raised.has_value() ? *raised : run.plan->wanted[next->shape],
                      LatestEnd(run, next->step.index, now_)};
      const std::optional<Membership> gang = MembershipOf(*run.plan, next->step.index);
      const std::uint32_t first = gang.has_value() ? gang->first : next->step.index;
      const std::uint32_t count = gang.has_value() ? gang->size : 1;
      if (!picker.MayTake(count)) continue;
      std::vector<Placement> placements;
      if (!hopeless_.contains({wish.shape, wish.end})) placements = Choose(wish, count);
      if (placements.empty()) {
        hopeless_.emplace(wish.shape, wish.end);
        picker.Refuse();
        continue;
      }
      picker.Take(first, count);
      for (std::uint32_t i = 0; i < count; ++i) {
        choices.push_back({{run.id, first + i}, std::move(placements[i])});
      }
    }
    return choices;
  }

 private:
  PoolIndex& IndexOf(const std::string& pool) {
    const auto [it, is_new] = index_.try_emplace(pool);
    if (!is_new) return it->second;
    it->second.room = pools_.RoomIn(pool);
    for (const auto& [id, candidate] : candidates_) {
      if (pools_.Holds(*candidate.machine, pool)) {
        it->second.by_rank.insert(RankOf(candidate));
      }
    }
    return it->second;
  }

  // For each of so many members of a step, or of none. They go to machines of their own where so
  // many could ever hold one; else they share.
  std::vector<Placement> Choose(const Wish& wish, std::size_t count) {
    const std::string name = pools_.Resolve(wish.shape.pool);
    PoolIndex& pool = IndexOf(name);
    const auto members = static_cast<std::int64_t>(count);
    if (!pool.room.Fits(wish.shape.request, members)) {
      // What is left is kept for it, so that smaller steps behind it cannot starve it.
      if (!pool.limited) pool.room.Take(wish.shape.request, members);
      pool.limited = true;
      return {};
    }
    Found found = Find(pool, wish, count, 1);
    const bool may_share = count > 1 && found.size() < count && CountAble(name, wish.shape) < count;
    if (may_share) found = Find(pool, wish, count, count);
    std::vector<Placement> placements;
    if (found.size() == count) {
      placements.reserve(count);
      pool.room.Take(wish.shape.request, members);
      for (auto& [candidate, gpus] : found) {
        placements.push_back(Take(*candidate, wish, std::move(gpus)));
      }
    } else if (!pool.reserved) {
      pool.reserved = ReserveInTime(name, wish.shape, count) || Reserve(pool, wish.shape, count);
    }
    return placements;
  }

  // The best of those that hold it now, up to `count`, each up to `times`; nothing is taken.
  using Found = std::vector<std::pair<Candidate*, std::vector<std::int32_t>>>;
  Found Find(const PoolIndex& pool, const Wish& wish, std::size_t count, std::size_t times) {
    Found found;
    const Rank least{wish.shape.request.memory_bytes, 0, 0};
    for (auto it = pool.by_rank.lower_bound(least); it != pool.by_rank.end(); ++it) {
      Candidate& candidate = candidates_.at(std::get<MachineId>(*it));
      std::optional<std::vector<std::int32_t>> gpus = GpusFor(wish, candidate);
      if (!gpus.has_value() || !CarriesLabels(*candidate.machine, wish.shape)) continue;
      Candidate left = times == 1 ? Candidate{} : candidate;
      for (std::size_t n = 1; gpus.has_value() && found.size() < count; ++n) {
        found.emplace_back(&candidate, *gpus);
        if (n == times) break;
        Use(left, wish, *gpus);
        left.free -= wish.shape.request;
        gpus = GpusFor(wish, left);
      }
      if (found.size() == count) break;
    }
    return found;
  }

  // Machines that could ever hold one, of those that take new steps.
  std::size_t CountAble(const std::string& pool, const Shape& shape) const {
    std::size_t count = 0;
    for (const auto& [id, record] : state_.machines) {
      if (!TakesSteps(record)) continue;
      if (pools_.Holds(record, pool) && CouldHold(record, shape)) ++count;
    }
    return count;
  }

  // Takes the GPUs and what the machine is kept for; the rest is Shrink's.
  static void Use(Candidate& candidate, const Wish& wish, const std::vector<std::int32_t>& gpus) {
    const std::int32_t millis = MillisOfEach(wish.shape.request);
    TakeRoom(gpus, millis, &candidate.gpus);
    if (!Meets(wish, candidate)) return;
    candidate.kept->spare -= wish.shape.request;
    TakeRoom(gpus, millis, &candidate.kept->spare_gpus);
  }

  Placement Take(Candidate& candidate, const Wish& wish, std::vector<std::int32_t> gpus) {
    const Resources& request = wish.shape.request;
    Placement placement{candidate.machine->facts.id, std::move(gpus)};
    Use(candidate, wish, placement.gpus);
    Shrink(candidate, request);
    return placement;
  }

  // On the machines that will have room for it soonest, of those of which that is known: also those
  // that have nothing free now. It is never later than it was in an earlier pass, since time limits
  // only say by when, and whoever goes around it has gone by then or takes what is to spare.
  bool ReserveInTime(const std::string& pool, const Shape& shape, std::size_t count) {
    std::multimap<absl::Time, std::pair<MachineId, Opening>> soonest;
    for (const auto& [id, record] : state_.machines) {
      if (!TakesSteps(record)) continue;
      if (!pools_.Holds(record, pool) || !CouldHold(record, shape)) continue;
      const auto candidate = candidates_.find(id);
      // What another pool's step is kept on is not promised twice.
      if (candidate != candidates_.end() && candidate->second.kept.has_value()) continue;
      const bool is_full = candidate == candidates_.end();
      const Resources free = is_full ? NotBelowZero(FreeOf(record)) : candidate->second.free;
      const std::vector<GpuRoom> gpus = is_full ? GpusOf(record) : candidate->second.gpus;
      Opening opening = OpeningFor(state_, record, free, gpus, shape, now_);
      if (opening.at == absl::InfiniteFuture()) continue;
      const absl::Time at = opening.at;
      soonest.emplace(at, std::pair(id, std::move(opening)));
      if (soonest.size() > count) soonest.erase(std::prev(soonest.end()));
    }
    if (soonest.size() < count) return false;
    const absl::Time start = soonest.rbegin()->first;
    for (const auto& [at, opening] : soonest) Keep(opening.first, opening.second, start, shape);
    return true;
  }

  // Keeps room on the machine, which has it from `opening` on, for a step that begins at `start`.
  void Keep(MachineId machine, const Opening& opening, absl::Time start, const Shape& shape) {
    const auto candidate = candidates_.find(machine);
    if (candidate == candidates_.end()) return;  // there is nothing on it to go around with
    Kept kept{start, opening.free, opening.gpus};
    kept.spare -= shape.request;
    if (const auto own = PickGpus(opening.gpus, shape)) {
      TakeRoom(*own, MillisOfEach(shape.request), &kept.spare_gpus);
    }
    candidate->second.kept = std::move(kept);
  }

  // On the machines that are nearest to holding it. The distance of the nearest never grows while
  // what runs there ends and nothing that it needs is given away, so the step gets its turn.
  bool Reserve(const PoolIndex& pool, const Shape& shape, std::size_t count) {
    std::set<std::pair<LackRank, MachineId>> nearest;
    for (const Rank& rank : pool.by_rank) {
      const Candidate& candidate = candidates_.at(std::get<MachineId>(rank));
      if (!CouldHold(*candidate.machine, shape)) continue;
      Resources lack = LackOf(shape.request, candidate.free);
      lack.gpu_millis = std::max(lack.gpu_millis, GpuLackOf(candidate.gpus, shape));
      nearest.emplace(LackRankOf(lack), std::get<MachineId>(rank));
      if (nearest.size() > count) nearest.erase(std::prev(nearest.end()));
    }
    for (const auto& [rank, machine] : nearest) {
      Candidate& candidate = candidates_.at(machine);
      Resources kept = shape.request;
      kept.gpu_millis =
          TakeRoom(NearestGpus(candidate.gpus, shape), MillisOfEach(kept), &candidate.gpus);
      Shrink(candidate, kept);
    }
    return !nearest.empty();
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
