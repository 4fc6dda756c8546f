// Cgroups that attempts take, use one after the other and give back: making and removing one costs
// several times what a start costs.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/executor/cgroup_tree.h"
#include "common/base/resources.h"

namespace potok::agent {

struct CgroupLeaf {
  std::string name;
  Resources limits;             // set in it now
  std::uint64_t oom_kills = 0;  // counted in it so far
  bool known_empty = true;      // false: processes may still be dying in it
};

// One thread.
class CgroupPool {
 public:
  // Leaves that an earlier agent left in the tree wait to be claimed.
  explicit CgroupPool(std::unique_ptr<CgroupTree> tree);
  // Removes the leaves that nobody has taken.
  ~CgroupPool();

  CgroupTree& tree() { return *tree_; }

  // An empty leaf with these limits.
  absl::StatusOr<CgroupLeaf> Take(const Resources& limits);
  void Give(CgroupLeaf leaf);
  // Instead of Give, for a leaf in which processes cannot be started any more.
  void Discard(const CgroupLeaf& leaf);

  // A leaf of an earlier agent, by name.
  std::optional<CgroupLeaf> Claim(const std::string& name);
  // Kills what runs in unclaimed leaves, and makes them free.
  void EndUnclaimed();

  void Kill(const CgroupLeaf& leaf);
  bool HasProcesses(const CgroupLeaf& leaf);

 private:
  std::optional<CgroupLeaf> TakeFree(const Resources& limits);
  bool IsUsable(CgroupLeaf& leaf, const Resources& limits);
  absl::StatusOr<CgroupLeaf> MakeLeaf();

  std::unique_ptr<CgroupTree> tree_;
  std::vector<CgroupLeaf> free_;
  std::vector<std::string> unclaimed_;
  std::uint64_t last_name_ = 0;
};

}  // namespace potok::agent
