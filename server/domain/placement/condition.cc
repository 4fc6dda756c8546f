#include "server/domain/placement/condition.h"

#include <algorithm>
#include <bit>

namespace potok::server::placing {

namespace {

std::uint64_t KeyOf(const GpuTake& take) {
  const auto bits = [](auto number) {
    return static_cast<std::uint64_t>(static_cast<std::uint16_t>(number));
  };
  return bits(take.from.kind) << 48 | bits(take.from.free_millis) << 32 | bits(take.millis) << 16 |
         bits(take.count);
}

PatternSummary SummaryOfGpus(const std::vector<GpuFree>& gpus) {
  PatternSummary summary;
  for (const GpuFree& gpu : gpus) {
    summary.free_millis += gpu.free_millis;
    summary.most_free = std::max(summary.most_free, gpu.free_millis);
    if (gpu.free_millis == kWholeGpu) ++summary.whole;
  }
  return summary;
}

}  // namespace

std::int64_t RoundDown(std::int64_t amount) {
  if (amount <= 0) return 0;
  constexpr int kDigits = 4;
  const auto width = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(amount)));
  if (width <= kDigits) return amount;
  const int dropped = width - kDigits;
  return (amount >> dropped) << dropped;
}

void Patterns::Clear() {
  ids_.clear();
  patterns_.clear();
  summaries_.clear();
  after_.clear();
}

PatternId Patterns::Intern(Pattern pattern) {
  const auto [it, is_new] =
      ids_.try_emplace(std::move(pattern), static_cast<PatternId>(patterns_.size()));
  if (is_new) {
    patterns_.push_back(&it->first);
    summaries_.push_back(SummaryOfGpus(it->first.gpus));
    after_.emplace_back();
  }
  return it->second;
}

PatternId Patterns::After(PatternId id, const GpuTake& take) {
  if (take.count == 0) return id;
  const std::pair<std::uint64_t, PatternId> sought{KeyOf(take), 0};
  {
    const auto& known = after_[id];
    const auto it = std::lower_bound(known.begin(), known.end(), sought);
    if (it != known.end() && it->first == sought.first) return it->second;
  }
  Pattern next = of(id);
  auto gpu = std::lower_bound(next.gpus.begin(), next.gpus.end(), take.from);
  for (std::uint16_t i = 0; i < take.count; ++i, ++gpu) {
    gpu->free_millis = static_cast<std::int16_t>(gpu->free_millis - take.millis);
  }
  std::sort(next.gpus.begin(), next.gpus.end());
  const PatternId after = Intern(std::move(next));
  auto& known = after_[id];
  known.insert(std::lower_bound(known.begin(), known.end(), sought), {sought.first, after});
  return after;
}

ConditionId Conditions::Intern(const Condition& condition) {
  const auto [it, is_new] =
      ids_.try_emplace(condition, static_cast<ConditionId>(conditions_.size()));
  if (is_new) {
    conditions_.push_back(condition);
    members_.emplace_back();
  }
  return it->second;
}

bool Conditions::Add(ConditionId id, const Member& member) {
  const bool was_empty = members_[id].empty();
  members_[id].insert(member);
  if (was_empty) live_.insert(id);
  return was_empty;
}

void Conditions::Remove(ConditionId id, const Member& member) {
  members_[id].erase(member);
  if (members_[id].empty()) live_.erase(id);
}

const Member* Conditions::FirstWith(ConditionId id, const Request& request, bool from_last) const {
  const absl::btree_set<Member>& members = members_[id];
  if (from_last) {
    for (auto it = members.rbegin(); it != members.rend(); ++it) {
      if (it->memory_bytes < request.memory_bytes) return nullptr;
      if (it->cpu_millis >= request.cpu_millis) return &*it;
    }
    return nullptr;
  }
  auto it = members.lower_bound({request.memory_bytes, 0, 0});
  while (it != members.end() && it->cpu_millis < request.cpu_millis) {
    // Equal ones are stepped over at once.
    it = members.lower_bound({it->memory_bytes, it->cpu_millis + 1, 0});
  }
  return it == members.end() ? nullptr : &*it;
}

}  // namespace potok::server::placing
