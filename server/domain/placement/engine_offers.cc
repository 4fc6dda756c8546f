// What machines offer to a request, and which offer is the best.
#include <algorithm>
#include <cmath>
#include <tuple>

#include "server/domain/placement/engine.h"

namespace potok::server::placing {

namespace {

constexpr double kBytesPerMebibyte = 1024.0 * 1024.0;
constexpr std::size_t kOffersMax = 256;
constexpr std::size_t kUnlimited = static_cast<std::size_t>(-1);

}  // namespace

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

std::optional<Choice> Engine::ChooseOn(ShapeId id, MachineNumber number) {
  RepriceIfDue();
  Shape& shape = shapes_[id];
  CatchUp(shape);
  const Held& machine = machines_[number];
  if (!machine.is_in || machine.free.memory_bytes < shape.request.memory_bytes ||
      machine.free.cpu_millis < shape.request.cpu_millis) {
    return std::nullopt;
  }
  const std::optional<Offer> offer = BestOffer(shape, machine.condition);
  if (!offer.has_value()) return std::nullopt;
  return ChoiceOf(shape, *offer, number);
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
  choice.loss = offer.loss;
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
