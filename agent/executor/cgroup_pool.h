// Cgroups that attempts take, use one after the other and give back: making and removing one costs
// several times what a start costs.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/executor/cgroup_tree.h"
#include "common/base/resources.h"

namespace potok::agent {

struct CgroupLeaf {
  std::string name;
  Resources limits;             // set in it now
  std::uint64_t oom_kills = 0;  // counted in it so far
  std::int64_t peak_bytes = 0;  // likewise: the most memory
  absl::Duration cpu_time;      // likewise: of attempts that have ended
  // cgroup.kill was used in it. Some kernels (seen on 6.18) kill everything that clone3(2) starts
  // in such a cgroup later (CLONE_INTO_CGROUP), so it must not be used again.
  bool killed = false;
};

// One thread.
class CgroupPool {
 public:
  // Leaves that an earlier agent left in the tree wait to be claimed.
  explicit CgroupPool(std::unique_ptr<CgroupTree> tree);
  // Removes all leaves that are not taken and have no processes. May take 100 ms.
  ~CgroupPool();

  CgroupTree& tree() { return *tree_; }

  // An empty leaf with these limits.
  absl::StatusOr<CgroupLeaf> Take(const Resources& limits);
  void Give(CgroupLeaf leaf);

  // A leaf of an earlier agent, by name.
  std::optional<CgroupLeaf> Claim(const std::string& name);
  // Kills what runs in unclaimed leaves.
  void EndUnclaimed();

  void Kill(CgroupLeaf& leaf);
  bool HasProcesses(const CgroupLeaf& leaf) const;

 private:
  std::optional<CgroupLeaf> TakeFree(const Resources& limits);
  void Remove(const std::string& name);
  void RemoveDying();
  absl::StatusOr<CgroupLeaf> MakeLeaf();

  std::unique_ptr<CgroupTree> tree_;
  std::vector<CgroupLeaf> free_;
  std::vector<std::string> unclaimed_;
  std::vector<std::string> dying_;  // to be removed as soon as their processes are gone
  std::uint64_t last_name_ = 0;
};

}  // namespace potok::agent
