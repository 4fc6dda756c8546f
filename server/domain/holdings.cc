#include "server/domain/holdings.h"

#include <algorithm>

#include "common/base/held_artifacts.h"

namespace potok::server {

Holdings::Number Holdings::NumberOf(const Artifact& artifact) {
  const auto known = numbers_.find(artifact.digest);
  if (known != numbers_.end()) return known->second;
  auto number = static_cast<Number>(kept_.size());
  if (unused_.empty()) {
    kept_.emplace_back();
  } else {
    number = unused_.back();
    unused_.pop_back();
  }
  kept_[number].digest = artifact.digest;
  kept_[number].bytes = artifact.total_bytes;
  numbers_.emplace(artifact.digest, number);
  return number;
}

void Holdings::Note(MachineId machine, const Artifact& artifact) {
  if (artifact.total_bytes < kHeldArtifactBytesMin) return;
  const Number number = NumberOf(artifact);
  Shelf& shelf = shelves_[machine];
  if (kept_[number].holders.insert(machine).second) {
    shelf.artifacts.push_back(number);
    shelf.bytes += kept_[number].bytes;
    return Shorten(machine, &shelf);
  }
  const auto at = std::find(shelf.artifacts.begin(), shelf.artifacts.end(), number);
  std::rotate(at, at + 1, shelf.artifacts.end());
}

void Holdings::Drop(MachineId machine, Number number) {
  Kept& kept = kept_[number];
  kept.holders.erase(machine);
  if (!kept.holders.empty()) return;
  numbers_.erase(kept.digest);
  unused_.push_back(number);
}

void Holdings::Shorten(MachineId machine, Shelf* shelf) {
  const auto is_over = [shelf] {
    return shelf->artifacts.size() > kHeldArtifactsMax ||
           (shelf->bytes_max > 0 && shelf->bytes > shelf->bytes_max);
  };
  while (!shelf->artifacts.empty() && is_over()) {
    const Number oldest = shelf->artifacts.front();
    shelf->bytes -= kept_[oldest].bytes;
    shelf->artifacts.erase(shelf->artifacts.begin());
    Drop(machine, oldest);
  }
}

void Holdings::Forget(MachineId machine) {
  const auto shelf = shelves_.find(machine);
  if (shelf == shelves_.end()) return;
  for (const Number number : shelf->second.artifacts) Drop(machine, number);
  shelves_.erase(shelf);
}

void Holdings::Limit(MachineId machine, std::int64_t cache_bytes) {
  Shelf& shelf = shelves_[machine];
  shelf.bytes_max = cache_bytes;
  Shorten(machine, &shelf);
}

bool Holdings::Holds(MachineId machine, const Digest& artifact) const {
  const absl::btree_set<MachineId>* holders = HoldersOf(artifact);
  return holders != nullptr && holders->contains(machine);
}

const absl::btree_set<MachineId>* Holdings::HoldersOf(const Digest& artifact) const {
  const auto number = numbers_.find(artifact);
  return number == numbers_.end() ? nullptr : &kept_[number->second].holders;
}

std::size_t Holdings::CountOn(MachineId machine) const {
  const auto shelf = shelves_.find(machine);
  return shelf == shelves_.end() ? 0 : shelf->second.artifacts.size();
}

std::int64_t Holdings::BytesOn(MachineId machine) const {
  const auto shelf = shelves_.find(machine);
  return shelf == shelves_.end() ? 0 : shelf->second.bytes;
}

}  // namespace potok::server
