// Conditions: what machines have free, rounded so that many machines share one. Pure; one thread.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "server/domain/placement/places.h"
#include "server/domain/placement/request.h"

namespace potok::server::placing {

using KindId = std::uint16_t;  // of GPUs: model and memory
using PatternId = std::uint32_t;
using ConditionId = std::uint32_t;

// A GPU of a pattern.
struct GpuFree {
  KindId kind = 0;
  std::int16_t free_millis = 0;

  auto operator<=>(const GpuFree&) const = default;
};

// The GPUs of a machine as far as it matters which are free, and its place.
struct Pattern {
  PlaceId place = 0;
  std::vector<GpuFree> gpus;  // ascending

  auto operator<=>(const Pattern&) const = default;
};

// What is soon seen of a pattern.
struct PatternSummary {
  std::int32_t free_millis = 0;  // of all GPUs
  std::int16_t most_free = 0;    // of one GPU
  std::uint16_t whole = 0;       // GPUs that are free
};

// What a request takes of a pattern: `count` GPUs that are `from`, `millis` of each; below zero it
// gives them back.
struct GpuTake {
  GpuFree from;
  std::int16_t millis = 0;
  std::uint16_t count = 0;

  auto operator<=>(const GpuTake&) const = default;
};

// Free CPU and memory are rounded down to a class: the three binary digits after the first.
std::int64_t RoundDown(std::int64_t amount);

struct Condition {
  PatternId pattern = 0;
  std::int64_t cpu_millis = 0;    // rounded
  std::int64_t memory_bytes = 0;  // rounded

  auto operator<=>(const Condition&) const = default;
};

// The machines of one condition, by what they have exactly: memory, CPU, number.
struct Member {
  std::int64_t memory_bytes = 0;
  std::int32_t cpu_millis = 0;
  MachineNumber machine = 0;

  auto operator<=>(const Member&) const = default;
};

// Patterns by number. Numbers are given in the order of asking and stay.
class Patterns {
 public:
  PatternId Intern(Pattern pattern);
  const Pattern& of(PatternId id) const { return *patterns_[id]; }
  const PatternSummary& SummaryOf(PatternId id) const { return summaries_[id]; }
  // The pattern left when `take` was taken. It must be there.
  PatternId After(PatternId id, const GpuTake& take);
  std::size_t size() const { return patterns_.size(); }
  // Forgets all patterns, and keeps the places.
  void Clear();
  Places& places() { return places_; }
  const Places& places() const { return places_; }

 private:
  Places places_;
  std::map<Pattern, PatternId> ids_;
  std::vector<const Pattern*> patterns_;
  std::vector<PatternSummary> summaries_;
  // By the pattern and what was taken of it, in order of the key.
  std::vector<std::vector<std::pair<std::uint64_t, PatternId>>> after_;
};

// Conditions by number, and who is in them.
class Conditions {
 public:
  ConditionId Intern(const Condition& condition);
  const Condition& of(ConditionId id) const { return conditions_[id]; }
  const absl::btree_set<Member>& MembersOf(ConditionId id) const { return members_[id]; }
  // True if the condition had no member before.
  bool Add(ConditionId id, const Member& member);
  void Remove(ConditionId id, const Member& member);
  // The first member that has so much free, or null.
  const Member* FirstWith(ConditionId id, const Request& request, bool from_last) const;
  // Those with members, ascending.
  const absl::btree_set<ConditionId>& live() const { return live_; }
  std::size_t size() const { return conditions_.size(); }

 private:
  absl::btree_map<Condition, ConditionId> ids_;
  std::vector<Condition> conditions_;
  std::vector<absl::btree_set<Member>> members_;
  absl::btree_set<ConditionId> live_;
};

}  // namespace potok::server::placing
