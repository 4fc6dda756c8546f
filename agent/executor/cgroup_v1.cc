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
  V1Tree(const OwnCgroups& own, const std::string& pool)
      : tracked_(own.unified + "/" + pool),
        memory_(own.v1.at("memory") + "/" + pool),
        cpu_(own.v1.at("cpu") + "/" + pool) {}

  std::string name() const override { return "cgroup-v1"; }

  absl::Status Prepare() override {
    POTOK_RETURN_IF_ERROR(MakeCgroupFolder(tracked_));
    POTOK_RETURN_IF_ERROR(MakeCgroupFolder(memory_));
    return MakeCgroupFolder(cpu_);
  }

  absl::Status Make(const std::string& leaf) override {
    return MakeCgroupFolder(TrackedFolder(leaf));
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
    if (limits.cpu_millis != 0) paths.cpu_procs = cpu_ + "/" + leaf + "/cgroup.procs";
    return paths;
  }

  std::int64_t MemoryHeld(const std::string& leaf) const override {
    const auto text = ReadSmallFile(memory_ + "/" + leaf + "/memory.usage_in_bytes");
    return text.ok() ? std::atoll(text->c_str()) : 0;
  }

  bool Remove(const std::string& leaf) override {
    bool gone = true;
    for (const std::string& root : {tracked_, memory_, cpu_}) {
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
};

}  // namespace

std::unique_ptr<CgroupTree> MakeV1Tree(const OwnCgroups& own, const std::string& pool) {
  if (own.unified.empty() || !own.v1.contains("memory") || !own.v1.contains("cpu")) {
    return nullptr;
  }
  return std::make_unique<V1Tree>(own, pool);
}

}  // namespace potok::agent
