#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "agent/executor/cgroup_tree.h"
#include "agent/executor/small_files.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::agent {
namespace {

class V2Tree final : public CgroupTree {
 public:
  V2Tree(OwnCgroups own, CgroupOptions options)
      : own_(std::move(own)), options_(std::move(options)) {}

  std::string name() const override { return "cgroup-v2"; }

  // Below the root when that is allowed: what lies below a service's own cgroup gets into the
  // service manager's way when the agent restarts. An unprivileged agent has only its own cgroup.
  absl::Status Prepare() override {
    if (PrepareBelow(own_.unified_root).ok()) return absl::OkStatus();
    const absl::Status prepared = PrepareBelow(own_.unified);
    if (prepared.ok() || own_.unified == own_.unified_root) return prepared;
    // A cgroup that has processes of its own cannot give controllers to those below it.
    POTOK_RETURN_IF_ERROR(MakeCgroupFolder(own_.unified + "/agent"));
    POTOK_RETURN_IF_ERROR(WriteSmallFile(own_.unified + "/agent/cgroup.procs", "0"));
    return PrepareBelow(own_.unified);
  }

  absl::Status Make(const std::string& leaf) override {
    const std::string folder = TrackedFolder(leaf);
    POTOK_RETURN_IF_ERROR(MakeCgroupFolder(folder));
    POTOK_RETURN_IF_ERROR(WriteSmallFile(folder + "/memory.oom.group", "1"));
    // Without swap or the pids controller the files do not exist.
    WriteSmallFile(folder + "/memory.swap.max", "0").IgnoreError();
    const std::int64_t processes = options_.processes_max.value_or(kProcessesMax);
    WriteSmallFile(folder + "/pids.max", processes == 0 ? "max" : std::to_string(processes))
        .IgnoreError();
    return absl::OkStatus();
  }

  absl::Status SetLimits(const std::string& leaf,
                         const Resources& before,
                         const Resources& limits) override {
    const std::string folder = TrackedFolder(leaf);
    if (limits.memory_bytes != before.memory_bytes) {
      POTOK_RETURN_IF_ERROR(
          WriteSmallFile(folder + "/memory.max",
                         limits.memory_bytes == 0 ? "max" : std::to_string(limits.memory_bytes)));
    }
    if (limits.cpu_millis == before.cpu_millis) return absl::OkStatus();
    const std::string quota =
        limits.cpu_millis == 0 ? "max" : std::to_string(QuotaMicros(limits.cpu_millis));
    return WriteSmallFile(folder + "/cpu.max", fmt::format("{} {}", quota, kCpuPeriodMicros));
  }

  CgroupPaths PathsOf(const std::string& leaf, const Resources& /*limits*/) const override {
    CgroupPaths paths;
    paths.tracked = TrackedFolder(leaf);
    paths.oom_counter_file = paths.tracked + "/memory.events";
    return paths;
  }

  std::int64_t MemoryHeld(const std::string& leaf) const override {
    const auto text = ReadSmallFile(TrackedFolder(leaf) + "/memory.current");
    return text.ok() ? std::atoll(text->c_str()) : 0;
  }

  std::int64_t PeakMemory(const std::string& leaf) const override {
    const auto text = ReadSmallFile(TrackedFolder(leaf) + "/memory.peak");  // since Linux 5.19
    return text.ok() ? std::atoll(text->c_str()) : 0;
  }

  LeafUsage UsageOf(const std::string& leaf, const Resources& /*limits*/) const override {
    LeafUsage usage{.memory_bytes = MemoryHeld(leaf)};
    constexpr char kName[] = "usage_usec ";
    const auto cpu = ReadSmallFile(TrackedFolder(leaf) + "/cpu.stat");
    if (cpu.ok() && cpu->starts_with(kName)) {
      usage.cpu_time = absl::Microseconds(std::atoll(cpu->c_str() + sizeof(kName) - 1));
    }
    return usage;
  }

  std::vector<std::string> NotEnforced() const override {
    std::vector<std::string> lacks;
    const auto controllers = ReadSmallFile(root_ + "/cgroup.controllers");
    if (!controllers.ok() || controllers->find("pids") == std::string::npos) {
      lacks.emplace_back("the number of processes: the pids controller is not given to the agent");
    }
    return lacks;
  }

  bool Remove(const std::string& leaf) override {
    if (leaf.empty()) return rmdir(root_.c_str()) == 0;
    return RemoveCgroupFolder(TrackedFolder(leaf));
  }

  std::string TrackedFolder(const std::string& leaf) const override {
    return leaf.empty() ? root_ : root_ + "/" + leaf;
  }

 private:
  absl::Status PrepareBelow(const std::string& parent) {
    root_ = parent + "/" + options_.pool;
    POTOK_RETURN_IF_ERROR(MakeCgroupFolder(root_));
    absl::Status enabled = Enable(parent);
    if (enabled.ok()) enabled = Enable(root_);
    if (!enabled.ok()) rmdir(root_.c_str());
    return enabled;
  }

  static absl::Status Enable(const std::string& folder) {
    POTOK_RETURN_IF_ERROR(WriteSmallFile(folder + "/cgroup.subtree_control", "+memory +cpu"));
    WriteSmallFile(folder + "/cgroup.subtree_control", "+pids").IgnoreError();
    return absl::OkStatus();
  }

  const OwnCgroups own_;
  const CgroupOptions options_;
  std::string root_;
};

}  // namespace

std::unique_ptr<CgroupTree> MakeV2Tree(const OwnCgroups& own, const CgroupOptions& options) {
  if (own.unified.empty()) return nullptr;
  return std::make_unique<V2Tree>(own, options);
}

}  // namespace potok::agent
