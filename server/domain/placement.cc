#include "server/domain/placement.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "server/domain/fit.h"
#include "server/domain/gang.h"
#include "server/domain/pass_room.h"
#include "server/domain/picker.h"
#include "server/domain/promise.h"
#include "server/domain/reservation.h"

namespace potok::server {

namespace {

// A pool during the pass.
struct PoolTurn {
  bool reserved = false;  // its highest-ranked waiting step has been given its reservation
  PoolRoom room;          // what its limits leave
  bool limited = false;   // the highest-ranked step that they hold up has been given its share
};

class Pass {
 public:
  Pass(State& state, const DecideOptions& options, absl::Time now)
      : state_(state), pools_(state, options), room_(state, pools_), now_(now) {}

  std::vector<PlacementChoice> Run() {
    std::vector<PlacementChoice> choices;
    Picker picker(state_, now_);
    while (!room_.empty()) {
      const std::optional<QueuePlace> next = picker.Next();
      if (!next.has_value()) break;
      const RunRecord& run = state_.runs.at(next->step.run);
      std::optional<Shape> raised;
      if (next->shape >= kRaisedLanes) raised = ShapeAskedFor(run, next->step.index);
      const Shape& shape = raised.has_value() ? *raised : run.plan->wanted[next->shape];
      const absl::Time end = LatestEnd(run, next->step.index, now_);
      const std::optional<Membership> gang = MembershipOf(*run.plan, next->step.index);
      const std::uint32_t first = gang.has_value() ? gang->first : next->step.index;
      const std::uint32_t count = gang.has_value() ? gang->size : 1;
      if (!picker.MayTake(count)) continue;
      std::vector<Spot> spots;
      WantedFiles files;
      if (!hopeless_.contains({shape, end})) {
        if (!state_.holdings.empty()) files = FilesWantedBy(run, next->step.index);
        spots = Choose({shape, end, end - now_, files}, count);
      }
      if (spots.empty()) {
        hopeless_.emplace(shape, end);
        picker.Refuse();
        continue;
      }
      picker.Take(first, count);
      for (std::uint32_t i = 0; i < count; ++i) {
        const std::optional<HeldInputs> held = HeldAt(spots[i], files);
        choices.push_back({{run.id, first + i}, std::move(spots[i].placement), held});
      }
    }
    return choices;
  }

 private:
  PoolTurn& TurnOf(const std::string& pool) {
    const auto [it, is_new] = turns_.try_emplace(pool);
    if (is_new) {
      it->second.room = pools_.RoomIn(pool);
      TakePromised(state_, pools_, pool, &it->second.room);
    }
    return it->second;
  }

  std::optional<HeldInputs> HeldAt(const Spot& spot, const WantedFiles& files) const {
    const std::int64_t bytes = HeldBytes(state_.holdings, files, spot.placement.machine);
    if (bytes == 0) return std::nullopt;
    return HeldInputs{bytes, files.total_bytes, spot.for_inputs};
  }

  // For each of so many members of a step, or of none. They go to machines of their own where so
  // many could ever hold one; else they share.
  std::vector<Spot> Choose(const Wish& wish, std::size_t count) {
    const std::string name = pools_.Resolve(wish.shape.pool);
    PoolTurn& pool = TurnOf(name);
    const auto members = static_cast<std::int64_t>(count);
    if (!pool.room.Fits(wish.shape.request, members)) {
      // What is left is kept for it, so that smaller steps behind it cannot starve it.
      if (!pool.limited) pool.room.Take(wish.shape.request, members);
      pool.limited = true;
      return {};
    }
    std::vector<Spot> spots = room_.Find(name, wish, count, false);
    if (spots.empty() && count > 1 && CountAble(name, wish.shape) < count) {
      spots = room_.Find(name, wish, count, true);
    }
    if (!spots.empty()) {
      pool.room.Take(wish.shape.request, members);
    } else if (!pool.reserved) {
      pool.reserved = ReserveInTime(name, wish.shape, count) || Reserve(name, wish.shape, count);
    }
    return spots;
  }

  // Machines that could ever hold one, of those that take new steps.
  std::size_t CountAble(const std::string& pool, const Shape& shape) const {
    std::size_t count = 0;
    for (const auto& [id, record] : state_.machines) {
      if (!TakesSteps(record)) continue;
      if (pools_.Holds(record, pool) && CouldHold(record, shape, pools_)) ++count;
    }
    return count;
  }

  // On the machines that will have room for it soonest, of those of which that is known: also those
  // that have nothing free now. It is never later than it was in an earlier pass, since time limits
  // only say by when, and whoever goes around it has gone by then or takes what is to spare.
  bool ReserveInTime(const std::string& pool, const Shape& shape, std::size_t count) {
    std::multimap<absl::Time, std::pair<MachineId, Opening>> soonest;
    const std::set<MachineId> all = count == 1 ? std::set<MachineId>() : AllMachines();
    for (const MachineId id : count == 1 ? state_.timed : all) {
      const MachineRecord& record = state_.machines.at(id);
      if (!TakesSteps(record)) continue;
      if (!pools_.Holds(record, pool) || !CouldHold(record, shape, pools_)) continue;
      const Candidate candidate = room_.Look(id);
      // What another pool's step is kept on is not promised twice.
      if (candidate.kept.has_value()) continue;
      const Resources free = NotBelowZero(candidate.free);
      Opening opening = OpeningFor(state_, record, free, candidate.gpus, shape, now_);
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

  // Of a gang some members may have room now, where nothing ends.
  std::set<MachineId> AllMachines() const {
    std::set<MachineId> machines;
    for (const auto& [id, record] : state_.machines) machines.insert(machines.end(), id);
    return machines;
  }

  // Keeps room on the machine, which has it from `opening` on, for a step that begins at `start`.
  void Keep(MachineId machine, const Opening& opening, absl::Time start, const Shape& shape) {
    if (room_.Look(machine).free.cpu_millis <= 0) return;  // nothing to go around with
    Kept kept{start, opening.free, opening.gpus};
    kept.spare -= shape.request;
    if (const auto own = PickGpus(opening.gpus, shape)) {
      TakeRoom(*own, MillisOfEach(shape.request), &kept.spare_gpus);
    }
    room_.Keep(machine, std::move(kept));
  }

  // On the machines that are nearest to holding it. The distance of the nearest never grows while
  // what runs there ends and nothing that it needs is given away, so the step gets its turn.
  bool Reserve(const std::string& pool, const Shape& shape, std::size_t count) {
    std::set<std::pair<LackRank, MachineId>> nearest;
    for (const auto& [id, record] : state_.machines) {
      if (!TakesSteps(record)) continue;
      const Resources free = room_.FreeOn(id, record);
      if (free.cpu_millis <= 0) continue;
      Resources lack = LackOf(shape.request, free);
      // How its GPUs lie can only make more lack: most machines need no closer look.
      const bool is_full = nearest.size() == count;
      if (is_full && nearest.rbegin()->first <= LackRankOf(lack)) continue;
      if (!pools_.Holds(record, pool) || !CouldHold(record, shape, pools_)) continue;
      lack.gpu_millis = std::max(lack.gpu_millis, GpuLackOf(room_.Look(id).gpus, shape));
      nearest.emplace(LackRankOf(lack), id);
      if (nearest.size() > count) nearest.erase(std::prev(nearest.end()));
    }
    for (const auto& [rank, machine] : nearest) room_.Withhold(machine, shape);
    return !nearest.empty();
  }

  const State& state_;
  const Pools pools_;
  PassRoom room_;
  const absl::Time now_;
  std::map<std::string, PoolTurn> turns_;            // by resolved pool
  std::set<std::pair<Shape, absl::Time>> hopeless_;  // found to fit nowhere in this pass
};

}  // namespace

std::vector<PlacementChoice> Place(State& state, const DecideOptions& options, absl::Time now) {
  if (state.queued.empty()) return {};
  return Pass(state, options, now).Run();
}

}  // namespace potok::server
