#include "agent/executor/cgroup_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "agent/executor/small_files.h"

namespace potok::agent {
namespace {

using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

TEST(FindOwnCgroupsTest, FindsTheUnifiedHierarchy) {
  const OwnCgroups own = FindOwnCgroups(
      "25 21 0:22 / /proc rw - proc proc rw\n"
      "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n",
      "0::/system.slice/potok-agent.service\n");
  EXPECT_EQ(own.unified_root, "/sys/fs/cgroup");
  EXPECT_EQ(own.unified, "/sys/fs/cgroup/system.slice/potok-agent.service");
  EXPECT_THAT(own.v1, IsEmpty());
}

TEST(FindOwnCgroupsTest, FindsTheControllersOfAHybridHierarchy) {
  const OwnCgroups own = FindOwnCgroups(
      "31 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
      "32 30 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
      "33 30 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
      "5:cpu,cpuacct:/a\n4:memory:/b/c\n1:name=systemd:/\n0::/\n");
  EXPECT_EQ(own.unified, "/sys/fs/cgroup/unified");
  EXPECT_THAT(own.v1,
              UnorderedElementsAre(Pair("cpu", "/sys/fs/cgroup/cpu,cpuacct/a"),
                                   Pair("cpuacct", "/sys/fs/cgroup/cpu,cpuacct/a"),
                                   Pair("memory", "/sys/fs/cgroup/memory/b/c")));
}

TEST(FindOwnCgroupsTest, TakesWhatAContainerShowsForTheRoot) {
  const std::string below =
      "32 30 0:28 /docker/ab /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
  EXPECT_EQ(FindOwnCgroups(below, "4:memory:/docker/ab\n").v1.at("memory"),
            "/sys/fs/cgroup/memory");
  EXPECT_EQ(FindOwnCgroups(below, "4:memory:/docker/ab/c\n").v1.at("memory"),
            "/sys/fs/cgroup/memory/c");
  EXPECT_EQ(
      FindOwnCgroups("30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "0::/../x\n").unified,
      "/sys/fs/cgroup");
}

TEST(FindOwnCgroupsTest, FindsNothingWithoutMounts) {
  const OwnCgroups own = FindOwnCgroups("", "0::/\n");
  EXPECT_EQ(own.unified, "");
  EXPECT_EQ(MakeV2Tree(own, {"pool"}), nullptr);
  EXPECT_EQ(MakeV1Tree(own, {"pool"}), nullptr);
}

// Plain folders in place of a cgroup file system show what is written where.
class V2TreeTest : public testing::Test {
 protected:
  V2TreeTest() {
    std::string path = testing::TempDir() + "potok-cgroup-XXXXXX";
    root_ = mkdtemp(path.data());
    std::ofstream(root_ + "/cgroup.subtree_control");
    const std::string pool = root_ + "/pool";
    std::filesystem::create_directories(pool + "/1");
    std::ofstream(pool + "/cgroup.subtree_control");
    for (const char* name :
         {"memory.oom.group", "memory.swap.max", "memory.max", "cpu.max", "pids.max"}) {
      std::ofstream(pool + "/1/" + name);
    }
    OwnCgroups own;
    own.unified_root = root_;
    own.unified = root_;
    tree_ = MakeV2Tree(own, {"pool"});
  }
  ~V2TreeTest() override { std::filesystem::remove_all(root_); }

  void Holds(const std::string& file, const std::string& text) {
    std::ofstream(root_ + "/pool/1/" + file) << text;
  }
  std::string In(const std::string& file) { return *ReadSmallFile(root_ + "/pool/1/" + file); }

  std::string root_;
  std::unique_ptr<CgroupTree> tree_;
};

TEST_F(V2TreeTest, CannotWorkWhereControllersCannotBeGiven) {
  std::filesystem::remove(root_ + "/cgroup.subtree_control");
  EXPECT_EQ(tree_->Prepare().code(), absl::StatusCode::kNotFound);
}

TEST_F(V2TreeTest, WritesLimitsAsTheKernelReadsThem) {
  ASSERT_TRUE(tree_->Prepare().ok());
  ASSERT_TRUE(tree_->Make("1").ok());
  EXPECT_EQ(In("memory.oom.group"), "1");
  EXPECT_EQ(In("memory.swap.max"), "0");
  EXPECT_EQ(In("pids.max"), std::to_string(kProcessesMax));
  ASSERT_TRUE(tree_->SetLimits("1", {}, {std::int64_t{4} << 30, 2500, 0}).ok());
  EXPECT_EQ(In("memory.max"), "4294967296");
  EXPECT_EQ(In("cpu.max"), "250000 100000");
}

TEST_F(V2TreeTest, WritesNoLimitAsMax) {
  ASSERT_TRUE(tree_->Prepare().ok());
  ASSERT_TRUE(tree_->SetLimits("1", {1, 1, 0}, {0, 0, 0}).ok());
  EXPECT_EQ(In("memory.max"), "max");
  EXPECT_EQ(In("cpu.max"), "max 100000");
}

TEST_F(V2TreeTest, CountsProcessesKilledForWantOfMemoryByTheKernelsEvents) {
  ASSERT_TRUE(tree_->Prepare().ok());
  EXPECT_EQ(tree_->PathsOf("1", {}).oom_counter_file, root_ + "/pool/1/memory.events");
}

TEST_F(V2TreeTest, ReadsWhatTheKernelCounts) {
  ASSERT_TRUE(tree_->Prepare().ok());
  Holds("memory.current", "1048576\n");
  Holds("memory.peak", "2097152\n");
  Holds("cpu.stat", "usage_usec 1500000\nuser_usec 1000000\nsystem_usec 500000\n");
  EXPECT_EQ(tree_->PeakMemory("1"), 2 << 20);
  EXPECT_EQ(tree_->UsageOf("1", {}).memory_bytes, 1 << 20);
  EXPECT_EQ(tree_->UsageOf("1", {}).cpu_time, absl::Seconds(1.5));
}

TEST_F(V2TreeTest, KnowsNoPeakOfAKernelThatKeepsNone) {
  ASSERT_TRUE(tree_->Prepare().ok());
  EXPECT_EQ(tree_->PeakMemory("1"), 0);
  EXPECT_EQ(tree_->UsageOf("1", {}).cpu_time, std::nullopt);
}

TEST_F(V2TreeTest, SaysThatItCannotLimitProcessesWithoutTheirController) {
  ASSERT_TRUE(tree_->Prepare().ok());
  EXPECT_EQ(tree_->NotEnforced().size(), 1U);
  std::ofstream(root_ + "/pool/cgroup.controllers") << "cpu memory pids\n";
  EXPECT_THAT(tree_->NotEnforced(), IsEmpty());
}

TEST(QuotaTest, IsNeverLessThanTheKernelTakes) {
  EXPECT_EQ(QuotaMicros(1000), 100'000);
  EXPECT_EQ(QuotaMicros(1), 1000);
}

}  // namespace
}  // namespace potok::agent
