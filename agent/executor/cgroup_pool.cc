#include "agent/executor/cgroup_pool.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "agent/executor/small_files.h"
#include "common/base/status_macros.h"

namespace potok::agent {
namespace {

// An earlier attempt's files in the page cache give way under pressure, its shared memory does not:
// a leaf that holds more than this part of the new limit is not used again.
constexpr std::int64_t kHeldPart = 16;

bool SameLimits(const Resources& a, const Resources& b) {
  return a.memory_bytes == b.memory_bytes && a.cpu_millis == b.cpu_millis;
}

}  // namespace

CgroupPool::CgroupPool(std::unique_ptr<CgroupTree> tree)
    : tree_(std::move(tree)), unclaimed_(FoldersIn(tree_->TrackedFolder(""))) {
  for (const std::string& name : unclaimed_) {
    last_name_ = std::max<std::uint64_t>(last_name_, std::strtoull(name.c_str(), nullptr, 10));
  }
}

CgroupPool::~CgroupPool() {
  for (const CgroupLeaf& leaf : free_) tree_->Remove(leaf.name);
  tree_->Remove("");
}

absl::StatusOr<CgroupLeaf> CgroupPool::Take(const Resources& limits) {
  std::optional<CgroupLeaf> leaf = TakeFree(limits);
  if (!leaf.has_value()) {
    POTOK_ASSIGN_OR_RETURN(leaf, MakeLeaf());
  }
  const absl::Status set = tree_->SetLimits(leaf->name, leaf->limits, limits);
  if (!set.ok()) {
    Discard(*leaf);
    return set;
  }
  leaf->limits = limits;
  return *std::move(leaf);
}

std::optional<CgroupLeaf> CgroupPool::TakeFree(const Resources& limits) {
  // Equal limits first: they need not be written again.
  for (const bool equal : {true, false}) {
    for (std::size_t i = free_.size(); i-- > 0;) {
      if (SameLimits(free_[i].limits, limits) != equal) continue;
      if (!free_[i].known_empty && HasProcesses(free_[i])) continue;
      CgroupLeaf leaf = std::exchange(free_[i], free_.back());
      free_.pop_back();
      if (IsUsable(leaf, limits)) return leaf;
      Discard(leaf);
    }
  }
  return std::nullopt;
}

bool CgroupPool::IsUsable(CgroupLeaf& leaf, const Resources& limits) {
  if (!leaf.known_empty) leaf.oom_kills = tree_->OomKills(leaf.name);
  leaf.known_empty = true;
  return limits.memory_bytes == 0 ||
         tree_->MemoryHeld(leaf.name) <= limits.memory_bytes / kHeldPart;
}

absl::StatusOr<CgroupLeaf> CgroupPool::MakeLeaf() {
  CgroupLeaf leaf;
  leaf.name = std::to_string(++last_name_);
  POTOK_RETURN_IF_ERROR(tree_->Make(leaf.name));
  return leaf;
}

void CgroupPool::Give(CgroupLeaf leaf) {
  free_.push_back(std::move(leaf));
}

void CgroupPool::Discard(const CgroupLeaf& leaf) {
  tree_->Remove(leaf.name);
}

std::optional<CgroupLeaf> CgroupPool::Claim(const std::string& name) {
  const auto at = std::find(unclaimed_.begin(), unclaimed_.end(), name);
  if (at == unclaimed_.end()) return std::nullopt;
  unclaimed_.erase(at);
  CgroupLeaf leaf;
  leaf.name = name;
  // Its limits are not known, so that any limits differ.
  leaf.limits = {-1, -1, 0};
  leaf.known_empty = false;
  return leaf;
}

void CgroupPool::EndUnclaimed() {
  while (!unclaimed_.empty()) {
    CgroupLeaf leaf = *Claim(std::string(unclaimed_.back()));
    Kill(leaf);
    Give(std::move(leaf));
  }
}

void CgroupPool::Kill(const CgroupLeaf& leaf) {
  WriteSmallFile(tree_->TrackedFolder(leaf.name) + "/cgroup.kill", "1").IgnoreError();
}

bool CgroupPool::HasProcesses(const CgroupLeaf& leaf) {
  return NumberInFile(tree_->TrackedFolder(leaf.name) + "/cgroup.events", "populated") != 0;
}

}  // namespace potok::agent
