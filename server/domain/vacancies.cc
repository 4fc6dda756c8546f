#include "server/domain/vacancies.h"

#include <algorithm>

#include "server/domain/fit.h"
#include "server/domain/locality.h"
#include "server/domain/pools.h"
#include "server/domain/state.h"

namespace potok::server {

namespace {

// Beyond these, everything is forgotten and found again: who makes up shapes without end does not
// fill the memory.
constexpr std::size_t kShapesKnownMax = 4096;
constexpr std::size_t kDemandsKnownMax = 1024;

placing::Machine MachineOf(const Resources& free, const std::vector<GpuRoom>& gpus) {
  placing::Machine machine;
  machine.cpu_millis = free.cpu_millis;
  machine.memory_bytes = free.memory_bytes;
  machine.gpus.reserve(gpus.size());
  for (const GpuRoom& gpu : gpus) {
    placing::Gpu& to = machine.gpus.emplace_back();
    to.index = gpu.index;
    to.free_millis = gpu.free_millis;
    if (gpu.facts == nullptr) continue;
    to.model = gpu.facts->model;
    to.memory_bytes = gpu.facts->memory_bytes;
  }
  return machine;
}

bool HasSeveralKinds(const std::vector<GpuRoom>& gpus) {
  const auto differs = [](const GpuRoom& a, const GpuRoom& b) {
    return a.facts != nullptr && b.facts != nullptr &&
           (a.facts->model != b.facts->model || a.facts->memory_bytes != b.facts->memory_bytes);
  };
  return std::ranges::adjacent_find(gpus, differs) != gpus.end();
}

bool MeetsDemand(const MachineRecord& machine, const Shape& demand, const Pools& pools) {
  return pools.Holds(machine, demand.pool) && CarriesLabels(machine, demand) &&
         HasRuntime(machine.facts, demand, pools) &&
         demand.request.FitsInto(machine.facts.capacity);
}

}  // namespace

Vacancies::Row& Vacancies::RowOf(MachineId machine) {
  const auto [it, is_new] = rows_.try_emplace(machine);
  if (is_new) {
    it->second.number = engine_.AddMachine({});
    engine_.Withdraw(it->second.number);
    machines_.push_back(machine);
  }
  return it->second;
}

void Vacancies::Show(const Row& row) {
  if (row.is_open && !row.is_aside) {
    engine_.Return(row.number);
  } else {
    engine_.Withdraw(row.number);
  }
}

void Vacancies::RenewFacts(MachineId id,
                           const MachineRecord& machine,
                           const State& state,
                           const Pools& pools) {
  Row& row = RowOf(id);
  row.meets.clear();
  for (const auto& [demand, number] : demands_) {
    if (MeetsDemand(machine, demand, pools)) row.meets.push_back(number);
  }
  std::ranges::sort(row.meets);
  engine_.SetPlace(row.number, engine_.PlaceThatMeets(row.meets));
  const Resources& capacity = machine.facts.capacity;
  row.capacity = {capacity.cpu_millis, capacity.memory_bytes, capacity.gpu_millis};
  for (const std::string& pool : row.spread_pools) shares_[pool].Remove(id);
  row.spread_pools.clear();
  for (const auto& [name, pool] : state.pools) {
    const std::string resolved = pools.Resolve(name);
    if (pool.facts.spread && pools.Holds(machine, resolved)) row.spread_pools.push_back(resolved);
  }
  if (HasSeveralKinds(AllGpusOf(machine.facts))) {
    mixed_.insert(id);
  } else {
    mixed_.erase(id);
  }
}

void Vacancies::RenewRoom(MachineId id, const MachineRecord& machine) {
  Row& row = RowOf(id);
  row.takes_steps = TakesSteps(machine);
  row.is_aside = false;
  Put(id, FreeOf(machine), GpusOf(machine));
}

void Vacancies::CatchUp(const State& state, const Pools& pools) {
  if (demands_.size() > kDemandsKnownMax) *this = Vacancies();
  if (shapes_.size() > kShapesKnownMax) {
    shapes_.clear();
    engine_.ForgetShapes();
  }
  if (all_touched_) {
    shapes_.clear();  // another pool may be meant now
    for (const auto& [id, machine] : state.machines) facts_touched_.insert(id);
  }
  for (const MachineId id : facts_touched_) {
    RenewFacts(id, state.machines.at(id), state, pools);
    touched_.insert(id);
  }
  for (const MachineId id : touched_) RenewRoom(id, state.machines.at(id));
  all_touched_ = false;
  facts_touched_.clear();
  touched_.clear();
  CountWanted(state, pools);
}

// Not more often than it costs: once for as many events as there is to look at.
void Vacancies::CountWanted(const State& state, const Pools& pools) {
  if (!engine_.has_gpus() || !engine_.IsPricingDue() || engine_.events() < next_count_) return;
  std::map<std::pair<RunId, std::uint32_t>, double> counts;  // by run and shape
  std::uint64_t looked_at = 0;
  for (const auto& [id, run] : state.queued.runs()) {
    for (const auto& [priority, lanes] : run.levels) {
      for (const auto& [shape, lane] : lanes) {
        ++looked_at;
        if (shape < kRaisedLanes) counts[{id, shape}] += static_cast<double>(lane.size());
      }
    }
  }
  for (const auto& [id, machine] : state.machines) {
    for (const AttemptKey& key : machine.holding) {
      ++looked_at;
      const auto run = state.runs.find(key.run);
      if (run == state.runs.end() || run->second.plan == nullptr) continue;
      ++counts[{key.run, run->second.plan->planned(key.index).shape}];
    }
  }
  std::vector<std::pair<placing::ShapeId, double>> wanted;
  wanted.reserve(counts.size());
  for (const auto& [key, count] : counts) {
    const Shape& shape = state.runs.at(key.first).plan->wanted[key.second];
    wanted.emplace_back(IdOf(shape, state, pools), count * shape.machines);
  }
  engine_.Want(wanted);
  next_count_ = engine_.events() + looked_at;
}

placing::DemandId Vacancies::DemandOf(const Shape& shape, const State& state, const Pools& pools) {
  Shape demand;
  demand.pool = pools.Resolve(shape.pool);
  demand.labels = shape.labels;
  demand.expression = shape.expression;
  demand.runtimes = RuntimesOf(shape, pools);
  demand.request.disk_bytes = shape.request.disk_bytes;
  demand.request.named = shape.request.named;
  const auto number = static_cast<placing::DemandId>(demands_.size());
  const auto [it, is_new] = demands_.try_emplace(std::move(demand), number);
  if (!is_new) return it->second;
  for (auto& [id, row] : rows_) {
    if (!MeetsDemand(state.machines.at(id), it->first, pools)) continue;
    row.meets.push_back(number);
    engine_.SetPlace(row.number, engine_.PlaceThatMeets(row.meets));
  }
  return number;
}

placing::ShapeId Vacancies::IdOf(const Shape& shape, const State& state, const Pools& pools) {
  const auto known = shapes_.find(shape);
  if (known != shapes_.end()) return known->second;
  placing::Request request;
  request.cpu_millis = shape.request.cpu_millis;
  request.memory_bytes = shape.request.memory_bytes;
  request.gpu_millis = shape.request.gpu_millis;
  request.gpu_models = shape.gpu_models;
  request.gpu_memory_bytes = shape.gpu_memory_bytes;
  request.demand = DemandOf(shape, state, pools);
  return shapes_.emplace(shape, engine_.Intern(request)).first->second;
}

Spot Vacancies::SpotOf(placing::Choice choice) const {
  return {Placement{machines_[choice.machine], std::move(choice.gpus)}};
}

std::optional<Spot> Vacancies::Choose(const Shape& shape,
                                      const State& state,
                                      const Pools& pools,
                                      const WantedFiles& files,
                                      absl::Duration lasts) {
  const placing::ShapeId id = IdOf(shape, state, pools);
  std::optional<placing::Choice> choice = engine_.Choose(id);
  if (!choice.has_value()) return std::nullopt;
  if (!shares_.empty()) {
    const auto shares = shares_.find(pools.Resolve(shape.pool));
    const bool spreads = shares != shares_.end() && !shares->second.empty();
    if (spreads) return ChooseEmptiest(id, shape.request.gpu_millis > 0, shares->second, *choice);
  }
  std::optional<placing::Choice> near;
  if (!files.large.empty()) near = ChooseNear(id, *choice, shape, state, files, lasts);
  const bool for_inputs = near.has_value();
  Spot spot = SpotOf(for_inputs ? *std::move(near) : *std::move(choice));
  spot.for_inputs = for_inputs;
  return spot;
}

// The engine has said that some machine holds it: `any`.
Spot Vacancies::ChooseEmptiest(placing::ShapeId id,
                               bool asks_for_gpus,
                               const FreeShares& of,
                               const placing::Choice& any) {
  for (const auto& [share, machine] : asks_for_gpus ? of.by_gpus() : of.by_room()) {
    std::optional<placing::Choice> choice = engine_.ChooseOn(id, rows_.at(machine).number);
    if (choice.has_value()) return SpotOf(*std::move(choice));
  }
  return SpotOf(any);
}

// A machine that saves so much more of the transfers than the usual choice that it may lose more.
std::optional<placing::Choice> Vacancies::ChooseNear(placing::ShapeId id,
                                                     const placing::Choice& usual,
                                                     const Shape& shape,
                                                     const State& state,
                                                     const WantedFiles& files,
                                                     absl::Duration lasts) {
  const MachineId usual_machine = machines_[usual.machine];
  const std::int32_t gpu_millis = shape.request.gpu_millis;
  const std::int64_t usual_bytes = HeldBytes(state.holdings, files, usual_machine);
  std::pair best_rank(LossWorth(usual_bytes, gpu_millis, lasts), usual_bytes);
  std::optional<placing::Choice> best;
  for (const MachineId machine : SomeHolders(state.holdings, files, usual_machine)) {
    const std::int64_t bytes = HeldBytes(state.holdings, files, machine);
    if (bytes <= usual_bytes) break;
    const auto row = rows_.find(machine);
    if (row == rows_.end()) continue;
    std::optional<placing::Choice> choice = engine_.ChooseOn(id, row->second.number);
    if (!choice.has_value()) continue;
    const std::int64_t worth = LossWorth(bytes, gpu_millis, lasts) - (choice->loss - usual.loss);
    const std::pair rank(worth, bytes);
    if (rank <= best_rank) continue;
    best_rank = rank;
    best = std::move(choice);
  }
  return best;
}

void Vacancies::Put(MachineId machine, const Resources& free, const std::vector<GpuRoom>& gpus) {
  Row& row = RowOf(machine);
  if (row.is_open) --open_;
  row.is_open = row.takes_steps && free.cpu_millis > 0;
  if (row.is_open) ++open_;
  engine_.Update(row.number, MachineOf(free, gpus));
  for (const std::string& pool : row.spread_pools) {
    shares_[pool].Put(machine, row.capacity, {free.cpu_millis, free.memory_bytes, free.gpu_millis});
  }
  Show(row);
}

void Vacancies::SetAside(MachineId machine) {
  Row& row = RowOf(machine);
  row.is_aside = true;
  Show(row);
}

void Vacancies::PutBack(MachineId machine) {
  Row& row = RowOf(machine);
  row.is_aside = false;
  Show(row);
}

}  // namespace potok::server
