#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "agent/executor/cgroup_tree.h"
#include "agent/executor/small_files.h"
#include "common/base/status_macros.h"

namespace potok::agent {
namespace {

// An attempt without limits is only in the cgroup2 leaf: joining each v1 hierarchy costs time at
// every start.
class V1Tree final : public CgroupTree {
 public:
  V1Tree(const OwnCgroups& own, const CgroupOptions& options)
      : tracked_(own.unified + "/" + options.pool),
        memory_(own.v1.at("memory") + "/" + options.pool),
        cpu_(own.v1.at("cpu") + "/" + options.pool),
        processes_max_(options.processes_max.value_or(0)),
        has_pids_(own.v1.contains("pids")) {
    if (has_pids_ && processes_max_ > 0) pids_ = own.v1.at("pids") + "/" + options.pool;
  }

  std::string name() const override { return "cgroup-v1"; }

  absl::Status Prepare() override {
    POTOK_RETURN_IF_ERROR(MakeCgroupFolder(tracked_));
    POTOK_RETURN_IF_ERROR(MakeCgroupFolder(memory_));
    if (!pids_.empty()) POTOK_RETURN_IF_ERROR(MakeCgroupFolder(pids_));
    return MakeCgroupFolder(cpu_);
  }

  absl::Status Make(const std::string& leaf) override {
    POTOK_RETURN_IF_ERROR(MakeCgroupFolder(TrackedFolder(leaf)));
    if (pids_.empty()) return absl::OkStatus();
    POTOK_RETURN_IF_ERROR(MakeCgroupFolder(pids_ + "/" + leaf));
    return WriteSmallFile(pids_ + "/" + leaf + "/pids.max", std::to_string(processes_max_));
  }

  absl::Status SetLimits(const std::string& leaf,
                         const Resources& before,
                         const Resources& limits) override {
    // A limit of 0 needs no change: PathsOf leaves the hierarchy out then.
    if (limits.memory_bytes != 0 && limits.memory_bytes != before.memory_bytes) {
      POTOK_RETURN_IF_ERROR(SetMemory(memory_ + "/" + leaf, limits.memory_bytes));
    }
    if (limits.cpu_millis == 0 || limits.cpu_millis == before.cpu_millis) return absl::OkStatus();
    POTOK_RETURN_IF_ERROR(MakeCgroupFolder(cpu_ + "/" + leaf));
    return WriteSmallFile(cpu_ + "/" + leaf + "/cpu.cfs_quota_us",
                          std::to_string(QuotaMicros(limits.cpu_millis)));
  }

  CgroupPaths PathsOf(const std::string& leaf, const Resources& limits) const override {
    CgroupPaths paths;
    paths.tracked = TrackedFolder(leaf);
    if (limits.memory_bytes != 0) {
      paths.memory_procs = memory_ + "/" + leaf + "/cgroup.procs";
      paths.oom_counter_file = memory_ + "/" + leaf + "/memory.oom_control";
    }
    if (!pids_.empty()) paths.pids_procs = pids_ + "/" + leaf + "/cgroup.procs";
    if (limits.cpu_millis != 0) paths.cpu_procs = cpu_ + "/" + leaf + "/cgroup.procs";
    return paths;
  }

  std::int64_t MemoryHeld(const std::string& leaf) const override {
    const auto text = ReadSmallFile(memory_ + "/" + leaf + "/memory.usage_in_bytes");
    return text.ok() ? std::atoll(text->c_str()) : 0;
  }

  std::int64_t PeakMemory(const std::string& leaf) const override {
    const auto text = ReadSmallFile(memory_ + "/" + leaf + "/memory.max_usage_in_bytes");
    return text.ok() ? std::atoll(text->c_str()) : 0;
  }

  LeafUsage UsageOf(const std::string& leaf, const Resources& limits) const override {
    return {.memory_bytes = limits.memory_bytes == 0 ? 0 : MemoryHeld(leaf)};
  }

  std::vector<std::string> NotEnforced() const override {
    std::vector<std::string> lacks;
    if (access((memory_ + "/memory.memsw.limit_in_bytes").c_str(), F_OK) != 0) {
      lacks.emplace_back("swap: the kernel does not account it (swapaccount=1)");
    }
    if (!has_pids_) {
      lacks.emplace_back("the number of processes: there is no pids controller");
    } else if (pids_.empty()) {
      lacks.emplace_back(
          "the number of processes: it slows starts down in cgroup v1, and "
          "--step-processes does not ask for it");
    }
    return lacks;
  }

  bool Remove(const std::string& leaf) override {
    bool gone = true;
    for (const std::string& root : {tracked_, memory_, cpu_, pids_}) {
      if (root.empty()) continue;
      const bool removed =
          leaf.empty() ? rmdir(root.c_str()) == 0 : RemoveCgroupFolder(root + "/" + leaf);
      gone = gone && removed;
    }
    return gone;
  }

  std::string TrackedFolder(const std::string& leaf) const override {
    return leaf.empty() ? tracked_ : tracked_ + "/" + leaf;
  }

 private:
  // Memory with swap may never be limited to less than memory without, so it goes out of the way
  // first. Kernels without accounting of swap do not have its file.
  static absl::Status SetMemory(const std::string& folder, std::int64_t bytes) {
    POTOK_RETURN_IF_ERROR(MakeCgroupFolder(folder));
    const std::string with_swap = folder + "/memory.memsw.limit_in_bytes";
    const std::string text = std::to_string(bytes);
    WriteSmallFile(with_swap, "-1").IgnoreError();
    POTOK_RETURN_IF_ERROR(WriteSmallFile(folder + "/memory.limit_in_bytes", text));
    WriteSmallFile(with_swap, text).IgnoreError();
    return absl::OkStatus();
  }

  const std::string tracked_;
  const std::string memory_;
  const std::string cpu_;
  const std::int64_t processes_max_;
  const bool has_pids_;
  std::string pids_;  // empty: not limited
};

}  // namespace

std::unique_ptr<CgroupTree> MakeV1Tree(const OwnCgroups& own, const CgroupOptions& options) {
  if (own.unified.empty() || !own.v1.contains("memory") || !own.v1.contains("cpu")) {
    return nullptr;
  }
  return std::make_unique<V1Tree>(own, options);
}

}  // namespace potok::agent
