#include "server/domain/placement/engine.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace potok::server::placing {

namespace {

constexpr double kBytesPerMebibyte = 1024.0 * 1024.0;
constexpr std::size_t kTypicalMax = 128;
constexpr std::size_t kOffersMax = 256;
constexpr std::size_t kUnlimited = static_cast<std::size_t>(-1);
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

std::optional<Choice> Engine::Choose(ShapeId id) {
  RepriceIfDue();
  Shape& shape = shapes_[id];
  CatchUp(shape);
  for (;;) {
    for (auto it = shape.offers.begin(); it != shape.offers.end();) {
      if (conditions_.MembersOf(it->condition).empty()) {
        it = shape.offers.erase(it);
        continue;
      }
      const Member* member = conditions_.FirstWith(it->condition, shape.request, policy_.spread);
      if (member != nullptr) return ChoiceOf(shape, *it, member->machine);
      ++it;
    }
    if (shape.has_all) return std::nullopt;
    LookAtAll(shape, kUnlimited);
  }
}

std::optional<Choice> Engine::ChooseByScan(ShapeId id) {
  RepriceIfDue();
  Shape shape = shapes_[id];
  shape.epoch = 0;
  CatchUp(shape);
  std::optional<Offer> best;
  Member best_member;
  for (const Held& machine : machines_) {
    if (!machine.is_in || machine.free.memory_bytes < shape.request.memory_bytes ||
        machine.free.cpu_millis < shape.request.cpu_millis) {
      continue;
    }
    const std::optional<Offer> offer = BestOffer(shape, machine.condition);
    if (!offer.has_value()) continue;
    const bool beats = !best.has_value() || IsBetter(*offer, *best);
    const bool is_equal = best.has_value() && offer->condition == best->condition;
    const bool is_first = policy_.spread ? best_member < machine.free : machine.free < best_member;
    if (!beats && !(is_equal && is_first)) continue;
    best = offer;
    best_member = machine.free;
  }
  if (!best.has_value()) return std::nullopt;
  return ChoiceOf(shape, *best, best_member.machine);
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

double Engine::WorthOf(ConditionId id) {
  if (worths_.size() <= id) worths_.resize(conditions_.size(), -1);
  if (worths_[id] < 0) {
    const Condition& condition = conditions_.of(id);
    worths_[id] = prices_.WorthOf(condition.pattern,
                                  patterns_,
                                  static_cast<double>(condition.cpu_millis),
                                  static_cast<double>(condition.memory_bytes) / kBytesPerMebibyte);
  }
  return worths_[id];
}

void Engine::CatchUp(Shape& shape) {
  if (shape.epoch != epoch_) {
    for (std::size_t i = shape.may_use.size(); i < kinds_.size(); ++i) {
      shape.may_use.push_back(MayUse(shape.request, kinds_[i]));
    }
    LookAtAll(shape, kOffersMax);
    return;
  }
  const std::size_t offers_max = std::max(kOffersMax, shape.offers.size());
  for (; shape.seen < news_.size(); ++shape.seen) {
    AddOffer(shape, news_[shape.seen], offers_max);
  }
}

void Engine::LookAtAll(Shape& shape, std::size_t offers_max) {
  std::vector<Offer>& offers = shape.offers;
  offers.clear();
  for (const ConditionId id : conditions_.live()) {
    const std::optional<Offer> offer = BestOffer(shape, id);
    if (offer.has_value()) offers.push_back(*offer);
  }
  const auto is_better = [this](const Offer& one, const Offer& other) {
    return IsBetter(one, other);
  };
  shape.has_all = offers.size() <= offers_max;
  if (!shape.has_all) {
    const auto end = offers.begin() + static_cast<std::ptrdiff_t>(offers_max);
    std::nth_element(offers.begin(), end, offers.end(), is_better);
    offers.resize(offers_max);
  }
  std::sort(offers.begin(), offers.end(), is_better);
  shape.epoch = epoch_;
  shape.seen = news_.size();
}

// Puts the condition where it belongs among the shape's offers.
void Engine::AddOffer(Shape& shape, ConditionId id, std::size_t offers_max) {
  if (conditions_.MembersOf(id).empty()) return;
  const std::optional<Offer> offer = BestOffer(shape, id);
  if (!offer.has_value()) return;
  std::vector<Offer>& offers = shape.offers;
  const auto it = std::lower_bound(
      offers.begin(), offers.end(), *offer, [this](const Offer& one, const Offer& other) {
        return IsBetter(one, other);
      });
  if (it != offers.end() && it->condition == id) return;
  // What is worse than the last is known only if none was left out.
  if (it == offers.end() && !shape.has_all) return;
  offers.insert(it, *offer);
  if (offers.size() <= offers_max) return;
  offers.pop_back();
  shape.has_all = false;
}

std::optional<Engine::Offer> Engine::BestOffer(const Shape& shape, ConditionId id) {
  const Request& request = shape.request;
  const Condition& condition = conditions_.of(id);
  // Members may have more than the condition says, but not so much more.
  if (condition.cpu_millis < RoundDown(request.cpu_millis)) return std::nullopt;
  if (condition.memory_bytes < RoundDown(request.memory_bytes)) return std::nullopt;
  const PatternSummary& summary = patterns_.SummaryOf(condition.pattern);
  if (summary.most_free < std::min(request.gpu_millis, kWholeGpu)) return std::nullopt;
  if (summary.whole < request.WholeGpus()) return std::nullopt;
  const Pattern& pattern = patterns_.of(condition.pattern);
  if (!patterns_.places().Meets(pattern.place, request)) return std::nullopt;
  Offer base;
  base.memory_bytes = condition.memory_bytes;
  base.cpu_millis = condition.cpu_millis;
  base.condition = id;
  std::optional<Offer> best;
  if (request.gpu_millis == 0) {
    Consider(shape, {}, base, &best);
    return best;
  }
  const auto each = static_cast<std::int16_t>(std::min(request.gpu_millis, kWholeGpu));
  const auto count = static_cast<std::uint16_t>(std::max(request.WholeGpus(), 1));
  const std::vector<GpuFree>& gpus = pattern.gpus;
  for (auto it = gpus.begin(); it != gpus.end();) {
    const auto end = std::upper_bound(it, gpus.end(), *it);
    if (it->free_millis >= each && end - it >= count && shape.may_use[it->kind]) {
      Consider(shape, {*it, each, count}, base, &best);
    }
    it = end;
  }
  return best;
}

void Engine::Consider(const Shape& shape,
                      const GpuTake& take,
                      Offer base,
                      std::optional<Offer>* best) {
  const PatternId pattern = conditions_.of(base.condition).pattern;
  const PatternId after = patterns_.After(pattern, take);
  const auto cpu = static_cast<double>(base.cpu_millis - shape.request.cpu_millis);
  const auto memory = static_cast<double>(base.memory_bytes - shape.request.memory_bytes);
  const double left = prices_.WorthOf(
      after, patterns_, std::max(cpu, 0.0), std::max(memory, 0.0) / kBytesPerMebibyte);
  base.loss = std::llround((WorthOf(base.condition) - left) / policy_.loss_step);
  base.free_gpu_millis = patterns_.SummaryOf(pattern).free_millis;
  base.take = take;
  if (!best->has_value() || IsBetter(base, **best)) *best = base;
}

bool Engine::IsBetter(const Offer& one, const Offer& other) const {
  if (one.loss != other.loss) return one.loss < other.loss;
  const auto rank = [](const Offer& offer) {
    return std::tie(offer.free_gpu_millis, offer.memory_bytes, offer.cpu_millis, offer.take);
  };
  if (rank(one) != rank(other)) {
    return policy_.spread ? rank(other) < rank(one) : rank(one) < rank(other);
  }
  if (one.condition == other.condition) return false;
  return patterns_.of(conditions_.of(one.condition).pattern) <
         patterns_.of(conditions_.of(other.condition).pattern);
}

Choice Engine::ChoiceOf(const Shape& shape, const Offer& offer, MachineNumber number) const {
  Choice choice;
  choice.machine = number;
  if (shape.request.gpu_millis == 0) return choice;
  const Held& machine = machines_[number];
  std::vector<std::int32_t>& gpus = choice.gpus;
  for (std::size_t i = 0; i < machine.kinds.size(); ++i) {
    const GpuFree gpu{machine.kinds[i], machine.free_millis[i]};
    if (gpu == offer.take.from) gpus.push_back(machine.indices[i]);
  }
  std::sort(gpus.begin(), gpus.end());
  gpus.resize(offer.take.count);
  return choice;
}

}  // namespace potok::server::placing
