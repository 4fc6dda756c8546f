#include "agent/executor/cgroup_pool.h"

#include <time.h>

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

constexpr int kRemoveTriesMax = 100;

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
  for (const CgroupLeaf& leaf : free_) dying_.push_back(leaf.name);
  RemoveDying();
  // Killed processes need a moment to be gone.
  for (int tries = 0; !dying_.empty() && tries < kRemoveTriesMax; ++tries) {
    const timespec millisecond = {0, 1'000'000};
    nanosleep(&millisecond, nullptr);
    RemoveDying();
  }
  // Those of an earlier agent that have processes stay for the next one.
  for (const std::string& name : unclaimed_) tree_->Remove(name);
  tree_->Remove("");
}

absl::StatusOr<CgroupLeaf> CgroupPool::Take(const Resources& limits) {
  RemoveDying();
  std::optional<CgroupLeaf> leaf = TakeFree(limits);
  if (!leaf.has_value()) {
    POTOK_ASSIGN_OR_RETURN(leaf, MakeLeaf());
  }
  const absl::Status set = tree_->SetLimits(leaf->name, leaf->limits, limits);
  if (!set.ok()) {
    Remove(leaf->name);
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
      CgroupLeaf leaf = std::exchange(free_[i], free_.back());
      free_.pop_back();
      if (limits.memory_bytes == 0 ||
          tree_->MemoryHeld(leaf.name) <= limits.memory_bytes / kHeldPart) {
        return leaf;
      }
      Remove(leaf.name);
    }
  }
  return std::nullopt;
}

absl::StatusOr<CgroupLeaf> CgroupPool::MakeLeaf() {
  CgroupLeaf leaf;
  leaf.name = std::to_string(++last_name_);
  POTOK_RETURN_IF_ERROR(tree_->Make(leaf.name));
  return leaf;
}

void CgroupPool::Give(CgroupLeaf leaf) {
  if (leaf.killed) {
    Remove(leaf.name);
  } else {
    free_.push_back(std::move(leaf));
  }
}

void CgroupPool::Remove(const std::string& name) {
  if (!tree_->Remove(name)) dying_.push_back(name);
}

void CgroupPool::RemoveDying() {
  std::erase_if(dying_, [&](const std::string& name) { return tree_->Remove(name); });
}

std::optional<CgroupLeaf> CgroupPool::Claim(const std::string& name) {
  const auto at = std::find(unclaimed_.begin(), unclaimed_.end(), name);
  if (at == unclaimed_.end()) return std::nullopt;
  unclaimed_.erase(at);
  CgroupLeaf leaf;
  leaf.name = name;
  leaf.killed = true;  // perhaps
  return leaf;
}

void CgroupPool::EndUnclaimed() {
  while (!unclaimed_.empty()) {
    CgroupLeaf leaf = *Claim(std::string(unclaimed_.back()));
    Kill(leaf);
    Give(std::move(leaf));
  }
}

void CgroupPool::Kill(CgroupLeaf& leaf) {
  leaf.killed = true;
  WriteSmallFile(tree_->TrackedFolder(leaf.name) + "/cgroup.kill", "1").IgnoreError();
}

bool CgroupPool::HasProcesses(const CgroupLeaf& leaf) const {
  const auto events = ReadSmallFile(tree_->TrackedFolder(leaf.name) + "/cgroup.events");
  return events.ok() && events->find("populated 1") != std::string::npos;
}

}  // namespace potok::agent
