// Where the cgroups of attempts live and how limits are set in them: cgroup v2, or the controllers
// of v1 beside a cgroup2 mount (what systemd calls hybrid). In both, a cgroup2 leaf holds the whole
// process tree and can be killed at once (cgroup.kill, Linux 5.14). See cgroups(7) and the kernel's
// admin-guide/cgroup-v2.rst, admin-guide/cgroup-v1/memory.rst.
//
// One thread. Functions block for the microseconds that the kernel takes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/resources.h"

namespace potok::agent {

// This process's own cgroup folders.
struct OwnCgroups {
  std::string unified_root;               // mount point of cgroup2, or empty
  std::string unified;                    // own folder below it
  std::map<std::string, std::string> v1;  // own folder by controller: "memory", "cpu"
};

// Works them out of the texts of /proc/self/mountinfo and /proc/self/cgroup. Pure.
OwnCgroups FindOwnCgroups(const std::string& mountinfo, const std::string& self_cgroup);

// What the shim is told; an empty path is not used.
struct CgroupPaths {
  std::string tracked;
  std::string memory_procs;
  std::string cpu_procs;
  std::string oom_counter_file;
  std::string pids_procs;
};

struct LeafUsage {
  std::int64_t memory_bytes = 0;                // 0: not counted
  std::optional<absl::Duration> cpu_time = {};  // of all attempts that ever were in the leaf
};

class CgroupTree {
 public:
  virtual ~CgroupTree() = default;

  // As Executor::isolation().
  virtual std::string name() const = 0;

  // Makes the tree's own folders. Fails when this process may not.
  virtual absl::Status Prepare() = 0;

  virtual absl::Status Make(const std::string& leaf) = 0;

  // Of memory and CPUs; 0 is unlimited. `before` are the limits set now.
  virtual absl::Status SetLimits(const std::string& leaf,
                                 const Resources& before,
                                 const Resources& limits) = 0;

  // What an attempt with these limits uses.
  virtual CgroupPaths PathsOf(const std::string& leaf, const Resources& limits) const = 0;

  // Memory charged to the leaf now: files cached for, and shared memory left by earlier attempts.
  virtual std::int64_t MemoryHeld(const std::string& leaf) const = 0;

  // The most memory that was ever charged to the leaf at the same time, of all attempts in it; 0:
  // not known.
  virtual std::int64_t PeakMemory(const std::string& leaf) const = 0;

  // What an attempt with these limits uses now.
  virtual LeafUsage UsageOf(const std::string& leaf, const Resources& limits) const = 0;

  // Which limits are not kept here, and why, for people.
  virtual std::vector<std::string> NotEnforced() const = 0;

  // Removes the leaf, or the tree's own folders if the name is empty. False if it is not gone,
  // because a process is in it.
  virtual bool Remove(const std::string& leaf) = 0;

  // Folder of the cgroup2 leaf.
  virtual std::string TrackedFolder(const std::string& leaf) const = 0;
};

// Far above what trainings need, far below what a fork bomb needs to take the machine along.
inline constexpr std::int64_t kProcessesMax = 16384;

struct CgroupOptions {
  std::string pool;  // names the tree's folder
  // Of an attempt, threads included; 0: any number. Nothing: kProcessesMax, but in v1, where each
  // hierarchy more that a process joins costs up to milliseconds at its start, any number.
  std::optional<std::int64_t> processes_max = std::nullopt;
};

// A tree that cannot work here at all is null.
std::unique_ptr<CgroupTree> MakeV2Tree(const OwnCgroups& own, const CgroupOptions& options);
std::unique_ptr<CgroupTree> MakeV1Tree(const OwnCgroups& own, const CgroupOptions& options);

inline constexpr std::int64_t kCpuPeriodMicros = 100'000;  // the kernel's default

// CPU time within each period. The kernel takes no less than a millisecond.
std::int64_t QuotaMicros(std::int32_t cpu_millis);

// Makes the folder; one that exists already is fine.
absl::Status MakeCgroupFolder(const std::string& folder);

// Removes the folder with all folders in it. What holds a process stays: then false.
bool RemoveCgroupFolder(const std::string& folder);

// Names of the folders in `folder`.
std::vector<std::string> FoldersIn(const std::string& folder);

}  // namespace potok::agent
