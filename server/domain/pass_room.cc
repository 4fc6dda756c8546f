#include "server/domain/pass_room.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace potok::server {

namespace {

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

// Best fit first: the least free memory, then the fewest free CPUs, then the lowest number.
using Rank = std::tuple<std::int64_t, std::int32_t, MachineId>;

Rank RankOf(MachineId id, const Candidate& candidate) {
  return {candidate.free.memory_bytes, candidate.free.cpu_millis, id};
}

}  // namespace

Resources NotBelowZero(Resources resources) {
  resources.memory_bytes = std::max<std::int64_t>(resources.memory_bytes, 0);
  resources.cpu_millis = std::max(resources.cpu_millis, 0);
  resources.gpu_millis = std::max(resources.gpu_millis, 0);
  resources.disk_bytes = std::max<std::int64_t>(resources.disk_bytes, 0);
  std::erase_if(resources.named, [](const auto& entry) { return entry.second < 0; });
  return resources;
}

PassRoom::PassRoom(State& state, const Pools& pools) : state_(state), pools_(pools) {
  state.vacancies.CatchUp(state, pools);
}

PassRoom::~PassRoom() {
  for (const auto& [id, candidate] : candidates_) state_.vacancies.Touch(id);
}

Candidate PassRoom::Look(MachineId id) const {
  const auto known = candidates_.find(id);
  if (known != candidates_.end()) return known->second;
  const MachineRecord& machine = state_.machines.at(id);
  return {FreeOf(machine), GpusOf(machine)};
}

Resources PassRoom::FreeOn(MachineId id, const MachineRecord& machine) const {
  const auto known = candidates_.find(id);
  return known != candidates_.end() ? known->second.free : FreeOf(machine);
}

Candidate& PassRoom::CandidateOf(MachineId id) {
  const auto known = candidates_.find(id);
  if (known != candidates_.end()) return known->second;
  return candidates_.emplace(id, Look(id)).first->second;
}

// Makes the engine see what is left of it. What it is kept for the engine does not know: such
// machines are looked at one by one.
void PassRoom::Show(MachineId id, const Candidate& candidate) {
  state_.vacancies.Put(id, candidate.free, candidate.gpus);
  if (candidate.kept.has_value()) {
    state_.vacancies.SetAside(id);
  } else {
    state_.vacancies.PutBack(id);
  }
}

std::vector<Spot> PassRoom::Find(const std::string& pool,
                                 const Wish& wish,
                                 std::size_t count,
                                 bool share) {
  std::vector<Spot> found;
  std::map<MachineId, Candidate> before;
  left_out_.clear();
  while (found.size() < count) {
    std::optional<Spot> next = FindOne(pool, wish);
    if (!next.has_value()) break;
    const MachineId machine = next->placement.machine;
    if (count > 1) before.try_emplace(machine, CandidateOf(machine));
    Take(machine, wish, next->placement.gpus);
    if (count > 1 && !share) {
      left_out_.insert(machine);
      state_.vacancies.SetAside(machine);
    }
    found.push_back(*std::move(next));
  }
  if (found.size() < count) {
    found.clear();
    for (auto& [id, candidate] : before) candidates_.at(id) = std::move(candidate);
  }
  for (const auto& [id, candidate] : before) Show(id, candidates_.at(id));
  return found;
}

std::optional<Spot> PassRoom::ChooseFree(const Wish& wish) {
  return state_.vacancies.Choose(wish.shape, state_, pools_, wish.files, wish.lasts);
}

std::optional<Spot> PassRoom::FindOne(const std::string& pool, const Wish& wish) {
  const Resources& request = wish.shape.request;
  std::vector<MachineId> refused;  // no disk, or named resources, free
  std::optional<Spot> found = ChooseFree(wish);
  while (found.has_value() && !request.FitsInto(CandidateOf(found->placement.machine).free)) {
    refused.push_back(found->placement.machine);
    state_.vacancies.SetAside(found->placement.machine);
    found = ChooseFree(wish);
  }
  for (const MachineId id : refused) state_.vacancies.PutBack(id);
  if (found.has_value()) return found;
  std::optional<Placement> best = BestOf(kept_, pool, wish);
  const bool may_mix = !best.has_value() && GpuCountOf(request) > 1;
  if (may_mix) best = BestOf(state_.vacancies.mixed(), pool, wish);
  if (!best.has_value()) return std::nullopt;
  return Spot{*std::move(best)};
}

// Of machines that the engine does not fully know.
std::optional<Placement> PassRoom::BestOf(const std::set<MachineId>& machines,
                                          const std::string& pool,
                                          const Wish& wish) {
  std::optional<Placement> best;
  Rank best_rank;
  for (const MachineId id : machines) {
    const MachineRecord& machine = state_.machines.at(id);
    if (left_out_.contains(id) || !TakesSteps(machine) || !pools_.Holds(machine, pool)) continue;
    const Candidate& candidate = CandidateOf(id);
    if (best.has_value() && best_rank < RankOf(id, candidate)) continue;
    std::optional<std::vector<std::int32_t>> gpus = GpusFor(wish, candidate);
    if (!gpus.has_value() || !CarriesLabels(machine, wish.shape)) continue;
    if (!HasRuntime(machine.facts, wish.shape, pools_)) continue;
    best_rank = RankOf(id, candidate);
    best = Placement{id, *std::move(gpus)};
  }
  return best;
}

void PassRoom::Take(MachineId id, const Wish& wish, const std::vector<std::int32_t>& gpus) {
  const Resources& request = wish.shape.request;
  Candidate& candidate = CandidateOf(id);
  TakeRoom(gpus, MillisOfEach(request), &candidate.gpus);
  if (Meets(wish, candidate)) {
    candidate.kept->spare -= request;
    TakeRoom(gpus, MillisOfEach(request), &candidate.kept->spare_gpus);
  }
  Shrink(id, candidate, request);
}

// Takes the request off what is free; of the GPUs it was taken before.
void PassRoom::Shrink(MachineId id, Candidate& candidate, const Resources& request) {
  candidate.free -= request;
  candidate.free = NotBelowZero(candidate.free);
  Show(id, candidate);
}

void PassRoom::Keep(MachineId id, Kept kept) {
  Candidate& candidate = CandidateOf(id);
  candidate.kept = std::move(kept);
  kept_.insert(id);
  Show(id, candidate);
}

void PassRoom::Withhold(MachineId id, const Shape& shape) {
  Candidate& candidate = CandidateOf(id);
  Resources kept = shape.request;
  kept.gpu_millis =
      TakeRoom(NearestGpus(candidate.gpus, shape), MillisOfEach(kept), &candidate.gpus);
  Shrink(id, candidate, kept);
}

}  // namespace potok::server
