#include "server/domain/placement/engine.h"

#include <algorithm>
#include <cmath>

namespace potok::server::placing {

namespace {

constexpr std::size_t kTypicalMax = 128;
constexpr std::uint64_t kPricingPart = 8;  // prices are renewed when so many-th part has changed
constexpr std::uint64_t kPricingLeast = 128;
constexpr std::size_t kTableSlack = 4096;

}  // namespace

Engine::Engine(const Policy& policy) : policy_(policy), mix_(policy) {}

MachineNumber Engine::AddMachine(const Machine& machine) {
  const auto number = static_cast<MachineNumber>(machines_.size());
  Held& held = machines_.emplace_back();
  held.place = machine.place;
  held.free.machine = number;
  Update(number, machine);
  Return(number);
  return number;
}

bool Engine::HasJust(const Held& held, const Machine& machine) const {
  if (held.free.cpu_millis != machine.cpu_millis ||
      held.free.memory_bytes != machine.memory_bytes || held.kinds.size() != machine.gpus.size()) {
    return false;
  }
  for (std::size_t i = 0; i < machine.gpus.size(); ++i) {
    const Gpu& gpu = machine.gpus[i];
    const Gpu& kind = kinds_[held.kinds[i]];
    if (held.indices[i] != gpu.index || held.free_millis[i] != gpu.free_millis ||
        kind.memory_bytes != gpu.memory_bytes || kind.model != gpu.model) {
      return false;
    }
  }
  return true;
}

void Engine::Update(MachineNumber number, const Machine& machine) {
  Held& held = machines_[number];
  if (HasJust(held, machine)) return;
  const bool was_in = held.is_in;
  Withdraw(number);
  gpus_ += static_cast<double>(machine.gpus.size()) - static_cast<double>(held.kinds.size());
  held.free = {machine.memory_bytes, machine.cpu_millis, number};
  held.kinds.clear();
  held.indices.clear();
  held.free_millis.clear();
  for (const Gpu& gpu : machine.gpus) {
    held.kinds.push_back(KindOf(gpu));
    held.indices.push_back(gpu.index);
    held.free_millis.push_back(static_cast<std::int16_t>(gpu.free_millis));
  }
  if (was_in) Return(number);
  ++events_;
}

void Engine::SetPlace(MachineNumber number, PlaceId place) {
  Held& held = machines_[number];
  if (held.place == place) return;
  const bool was_in = held.is_in;
  Withdraw(number);
  held.place = place;
  if (was_in) Return(number);
  ++events_;
}

PlaceId Engine::PlaceThatMeets(std::vector<DemandId> demands) {
  return patterns_.places().ThatMeet(std::move(demands));
}

void Engine::Withdraw(MachineNumber machine) {
  Held& held = machines_[machine];
  if (held.is_in) Leave(held);
  held.is_in = false;
}

void Engine::Return(MachineNumber machine) {
  Held& held = machines_[machine];
  if (!held.is_in) Enter(held);
  held.is_in = true;
}

ShapeId Engine::Intern(const Request& request) {
  const auto [it, is_new] = shape_ids_.try_emplace(request, static_cast<ShapeId>(shapes_.size()));
  if (is_new) shapes_.emplace_back().request = request;
  return it->second;
}

void Engine::Saw(ShapeId shape) {
  mix_.Saw(shapes_[shape].request);
  ++events_;
}

void Engine::Want(const std::vector<std::pair<ShapeId, double>>& counts) {
  mix_ = Mix(policy_);
  for (const auto& [shape, count] : counts) mix_.Saw(shapes_[shape].request, count);
}

void Engine::ForgetShapes() {
  shape_ids_.clear();
  shapes_.clear();
}

void Engine::Take(ShapeId shape, const Choice& choice) {
  Move(shape, choice, 1);
}

void Engine::Give(ShapeId shape, const Choice& choice) {
  Move(shape, choice, -1);
}

void Engine::Move(ShapeId shape, const Choice& choice, int sign) {
  const Request& request = shapes_[shape].request;
  Held& machine = machines_[choice.machine];
  if (machine.is_in) Leave(machine);
  machine.free.cpu_millis -= sign * request.cpu_millis;
  machine.free.memory_bytes -= sign * request.memory_bytes;
  const auto each = static_cast<std::int16_t>(sign * std::min(request.gpu_millis, kWholeGpu));
  // Of a machine that is out the condition may be forgotten.
  PatternId pattern = machine.is_in ? conditions_.of(machine.condition).pattern : 0;
  for (std::size_t i = 0; i < machine.indices.size(); ++i) {
    if (std::find(choice.gpus.begin(), choice.gpus.end(), machine.indices[i]) ==
        choice.gpus.end()) {
      continue;
    }
    const GpuFree from{machine.kinds[i], machine.free_millis[i]};
    if (machine.is_in) pattern = patterns_.After(pattern, {from, each, 1});
    machine.free_millis[i] = static_cast<std::int16_t>(from.free_millis - each);
  }
  if (machine.is_in) EnterAs(machine, pattern);
  ++events_;
}

void Engine::Enter(Held& machine) {
  Pattern pattern;
  pattern.place = machine.place;
  for (std::size_t i = 0; i < machine.kinds.size(); ++i) {
    pattern.gpus.push_back({machine.kinds[i], machine.free_millis[i]});
  }
  std::sort(pattern.gpus.begin(), pattern.gpus.end());
  EnterAs(machine, patterns_.Intern(std::move(pattern)));
}

void Engine::EnterAs(Held& machine, PatternId pattern) {
  machine.condition = conditions_.Intern(
      {pattern, RoundDown(machine.free.cpu_millis), RoundDown(machine.free.memory_bytes)});
  if (conditions_.Add(machine.condition, machine.free)) news_.push_back(machine.condition);
}

void Engine::Leave(const Held& machine) {
  conditions_.Remove(machine.condition, machine.free);
}

KindId Engine::KindOf(const Gpu& gpu) {
  for (std::size_t i = 0; i < kinds_.size(); ++i) {
    if (kinds_[i].model == gpu.model && kinds_[i].memory_bytes == gpu.memory_bytes) {
      return static_cast<KindId>(i);
    }
  }
  kinds_.push_back(gpu);
  next_pricing_ = 0;
  return static_cast<KindId>(kinds_.size() - 1);
}

// One GPU with half of what its machines have beside each.
Request Engine::Prior() const {
  Request prior;
  if (gpus_ < 1) return prior;
  double cpu_millis = 0;
  double memory_bytes = 0;
  for (const Held& machine : machines_) {
    if (machine.kinds.empty()) continue;
    cpu_millis += machine.free.cpu_millis;
    memory_bytes += static_cast<double>(machine.free.memory_bytes);
  }
  prior.gpu_millis = kWholeGpu;
  prior.cpu_millis = static_cast<std::int32_t>(std::lround(cpu_millis / gpus_ / 2));
  prior.memory_bytes = std::llround(memory_bytes / gpus_ / 2);
  return prior;
}

void Engine::RepriceIfDue() {
  if (!IsPricingDue()) return;
  const std::uint64_t most =
      std::max(kPricingLeast, 2 * static_cast<std::uint64_t>(machines_.size()));
  next_pricing_ = events_ + std::clamp<std::uint64_t>(events_ / kPricingPart, 1, most);
  RenewTables();
  prices_.Reset(mix_.Typical(kTypicalMax, Prior()), kinds_);
  prices_.Divide(conditions_, patterns_, std::max(gpus_, 1.0));
  worths_.clear();
  news_.clear();
  ++epoch_;
}

// What nobody is in any more is forgotten when it is most of what is known.
void Engine::RenewTables() {
  const std::size_t known = conditions_.size() + patterns_.size();
  if (known < 16 * conditions_.live().size() + kTableSlack) return;
  patterns_.Clear();
  conditions_ = Conditions();
  for (Held& machine : machines_) {
    if (machine.is_in) Enter(machine);
  }
}

}  // namespace potok::server::placing
