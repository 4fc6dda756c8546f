#include "server/domain/placement/prices.h"

#include <algorithm>

namespace potok::server::placing {

namespace {

constexpr double kMebibyte = 1024.0 * 1024.0;
constexpr float kUnbounded = 1e6F;  // room of those that ask for no GPU, as far as GPUs go

}  // namespace

inline void Prices::RoomOf(
    const Block& block, const Lanes& slots, float cpu, float memory, Lanes* room) {
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    float held = slots[lane];
    held = std::min(held, cpu * block.per_cpu[lane]);
    held = std::min(held, memory * block.per_memory[lane]);
    (*room)[lane] = cpu < block.cpu[lane] || memory < block.memory[lane] ? 0.0F : held;
  }
}

void Prices::Reset(std::vector<TypicalRequest> typical, const std::vector<Gpu>& kinds) {
  typical_ = std::move(typical);
  may_use_.clear();
  blocks_.assign((typical_.size() + kLanes - 1) / kLanes, {});
  slots_.clear();
  for (std::size_t i = 0; i < typical_.size(); ++i) {
    const Request& request = typical_[i].request;
    std::vector<bool>& may = may_use_.emplace_back();
    for (const Gpu& kind : kinds) may.push_back(MayUse(request, kind));
    Block& block = blocks_[i / kLanes];
    const std::size_t lane = i % kLanes;
    block.cpu[lane] = static_cast<float>(std::max(request.cpu_millis, 1));
    block.memory[lane] =
        static_cast<float>(std::max(static_cast<double>(request.memory_bytes) / kMebibyte, 1e-3));
    block.per_cpu[lane] = 1 / block.cpu[lane];
    block.per_memory[lane] = 1 / block.memory[lane];
    block.price[lane] = static_cast<float>(typical_[i].weight);
  }
}

void Prices::Divide(const Conditions& conditions, Patterns& patterns, double gpus) {
  std::vector<std::array<double, kLanes>> sums(blocks_.size());
  Lanes room{};
  for (const ConditionId id : conditions.live()) {
    const Condition& condition = conditions.of(id);
    const auto members = static_cast<double>(conditions.MembersOf(id).size());
    const std::vector<Lanes>& slots = SlotsOf(condition.pattern, patterns);
    const auto cpu = static_cast<float>(condition.cpu_millis);
    const auto memory = static_cast<float>(static_cast<double>(condition.memory_bytes) / kMebibyte);
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      RoomOf(blocks_[i], slots[i], cpu, memory, &room);
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        sums[i][lane] += members * static_cast<double>(room[lane]);
      }
    }
  }
  for (std::size_t i = 0; i < typical_.size(); ++i) {
    const double room_left = std::max(sums[i / kLanes][i % kLanes], 1.0);
    blocks_[i / kLanes].price[i % kLanes] =
        static_cast<float>(typical_[i].weight * gpus / room_left);
  }
}

double Prices::WorthOf(PatternId pattern,
                       const Patterns& patterns,
                       double cpu_millis,
                       double memory_mib) {
  const std::vector<Lanes>& slots = SlotsOf(pattern, patterns);
  const auto cpu = static_cast<float>(cpu_millis);
  const auto memory = static_cast<float>(memory_mib);
  Lanes sums{};
  Lanes room{};
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    RoomOf(blocks_[i], slots[i], cpu, memory, &room);
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      sums[lane] += blocks_[i].price[lane] * room[lane];
    }
  }
  double worth = 0;
  for (const float sum : sums) worth += static_cast<double>(sum);
  return worth;
}

const std::vector<Prices::Lanes>& Prices::SlotsOf(PatternId id, const Patterns& patterns) {
  if (slots_.size() < patterns.size()) slots_.resize(patterns.size());
  std::vector<Lanes>& slots = slots_[id];
  if (slots.empty() && !blocks_.empty()) {
    slots.resize(blocks_.size());
    const Pattern& pattern = patterns.of(id);
    for (std::size_t i = 0; i < typical_.size(); ++i) {
      slots[i / kLanes][i % kLanes] = SlotsOf(pattern, patterns.places(), i);
    }
  }
  return slots;
}

float Prices::SlotsOf(const Pattern& pattern, const Places& places, std::size_t number) const {
  const Request& request = typical_[number].request;
  if (!places.Meets(pattern.place, request)) return 0;
  if (request.gpu_millis == 0) return kUnbounded;
  const std::int32_t each = std::min(request.gpu_millis, kWholeGpu);
  std::int32_t held = 0;
  for (const GpuFree& gpu : pattern.gpus) {
    if (may_use_[number][gpu.kind]) held += gpu.free_millis / each;
  }
  return static_cast<float>(request.IsShare() ? held : held / request.WholeGpus());
}

}  // namespace potok::server::placing
