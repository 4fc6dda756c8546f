// How attempts are ended: on time limit, on Stop, by the lease, for want of memory; and that
// nothing of them is left then.
#include <signal.h>
#include <time.h>

#include "agent/executor/cgroup_tree.h"
#include "tests/agent/executor/executor_fixture.h"

namespace potok::agent {
namespace {

INSTANTIATE_TEST_SUITE_P(, EachIsolationTest, testing::Values("none", ""), &NameOfIsolation);

constexpr std::int64_t kMiB = 1 << 20;

// Holds `megabytes` of memory for good.
std::string HoldMemory(int megabytes) {
  return "exec /usr/bin/python3 -c 'import time; x = bytearray(b\"1\") * (" +
         std::to_string(megabytes) + " << 20); time.sleep(1000)'";
}

absl::Duration BootTime() {
  timespec now = {};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return absl::DurationFromTimespec(now);
}

TEST_P(EachIsolationTest, EndsTheCommandOnItsTimeLimit) {
  Launch launch = Shell(1, "exec sleep 1000");
  launch.timeout = absl::Milliseconds(50);
  EXPECT_EQ(Run(launch).cause, EndCause::kTimeout);
}

TEST_P(EachIsolationTest, KillsWhatIgnoresSigtermOnceTheGraceIsOver) {
  Launch launch = Shell(1, "trap '' TERM; echo $$ > pid; while :; do sleep 1000; done");
  launch.timeout = absl::Milliseconds(200);
  launch.grace = absl::Milliseconds(50);
  const Ended end = Run(launch);
  EXPECT_EQ(end.cause, EndCause::kTimeout);
  EXPECT_EQ(end.code, SIGKILL);
  EXPECT_FALSE(IsAlive(PidIn(launch.folder + "/pid")));
}

TEST_P(EachIsolationTest, LetsACommandThatIsStoppedCleanUp) {
  const Launch launch =
      Shell(1, "trap 'echo saved; exit 5' TERM; touch ready; while :; do sleep 0.01; done");
  StartUntilReady(launch);
  executor_->Stop(launch.key, absl::Seconds(30));
  const Ended end = WaitForEnd(launch.key);
  EXPECT_EQ(end.cause, EndCause::kStopped);
  EXPECT_EQ(end.code, 5);
  EXPECT_THAT(Log(launch), testing::HasSubstr("saved\n"));
}

TEST_P(EachIsolationTest, LetsTheChildOfALauncherThatDiesAtOnceCleanUp) {
  const Launch launch = Shell(
      1,
      "(trap 'sleep 0.2; echo saved; exit' TERM; touch ready; while :; do sleep 0.01; done) & "
      "wait");
  StartUntilReady(launch);
  executor_->Stop(launch.key, absl::Seconds(30));
  EXPECT_EQ(WaitForEnd(launch.key).cause, EndCause::kStopped);
  EXPECT_THAT(Log(launch), testing::HasSubstr("saved\n"));
}

TEST_P(EachIsolationTest, ASecondStopShortensTheGrace) {
  const Launch launch = Shell(1, "trap '' TERM; touch ready; while :; do sleep 1000; done");
  StartUntilReady(launch);
  executor_->Stop(launch.key, absl::Hours(1));
  executor_->Stop(launch.key, absl::ZeroDuration());
  EXPECT_EQ(WaitForEnd(launch.key).cause, EndCause::kStopped);
}

TEST_P(EachIsolationTest, StopsACommandThatIsSuspended) {
  const Launch launch = Shell(1, "touch ready; kill -STOP $$");
  StartUntilReady(launch);
  executor_->Stop(launch.key, absl::Seconds(30));
  EXPECT_EQ(WaitForEnd(launch.key).cause, EndCause::kStopped);
}

TEST_P(EachIsolationTest, AStopOfAnEndedOrUnknownAttemptIsHarmless) {
  const Launch launch = Shell(1, "exit 3");
  EXPECT_EQ(Run(launch).code, 3);
  executor_->Stop(launch.key, absl::ZeroDuration());
  executor_->Forget(launch.key);
  executor_->Stop(launch.key, absl::ZeroDuration());
  executor_->Forget(launch.key);
  EXPECT_TRUE(executor_->TakeEvents().empty());
}

TEST_P(EachIsolationTest, KillsWhatTheCommandLeavesBehind) {
  // A child of the same group, one in a session of its own, one whose parent is gone.
  const Launch launch = Shell(1, R"(
    sleep 1000 & echo $! > child
    setsid sh -c 'trap "" TERM HUP; echo $$ > daemon; exec sleep 1000' &
    (setsid sh -c 'echo $$ > orphan; exec sleep 1000' &)
    while [ ! -s daemon ] || [ ! -s orphan ]; do sleep 0.01; done
    exit 4)");
  const Ended end = Run(launch);
  EXPECT_EQ(end.cause, EndCause::kExit);
  EXPECT_EQ(end.code, 4);
  for (const char* name : {"/child", "/daemon", "/orphan"}) {
    EXPECT_FALSE(IsAlive(PidIn(launch.folder + name))) << name;
  }
}

TEST_P(EachIsolationTest, KillsDaemonsWhenTheAttemptIsStopped) {
  const Launch launch = Shell(
      1, "setsid sh -c 'trap \"\" TERM; echo $$ > daemon; exec sleep 1000' & touch ready; wait");
  StartUntilReady(launch);
  const pid_t daemon = PidIn(launch.folder + "/daemon");
  executor_->Stop(launch.key, absl::Seconds(30));
  EXPECT_EQ(WaitForEnd(launch.key).cause, EndCause::kStopped);
  EXPECT_FALSE(IsAlive(daemon));
}

TEST_P(EachIsolationTest, EndsAttemptsWhenTheLeaseRunsOut) {
  executor_->SetLeaseDeadline(BootTime() + absl::Hours(1));
  const Launch launch = Shell(1, "touch ready; exec sleep 1000");
  StartUntilReady(launch);
  executor_->SetLeaseDeadline(BootTime() + absl::Milliseconds(50));
  EXPECT_EQ(WaitForEnd(launch.key).cause, EndCause::kLease);
}

TEST_P(EachIsolationTest, ARenewedLeaseKeepsAttemptsAlive) {
  executor_->SetLeaseDeadline(BootTime() + absl::Milliseconds(300));
  const Launch launch = Shell(1, "touch ready; sleep 0.6; exit 9");
  StartUntilReady(launch);
  executor_->SetLeaseDeadline(BootTime() + absl::Hours(1));
  const Ended end = WaitForEnd(launch.key);
  EXPECT_EQ(end.cause, EndCause::kExit);
  EXPECT_EQ(end.code, 9);
}

TEST_P(EachIsolationTest, AnInfiniteLeaseNeverRunsOut) {
  executor_->SetLeaseDeadline(absl::ZeroDuration());
  executor_->SetLeaseDeadline(absl::InfiniteDuration());
  EXPECT_EQ(Run(Shell(1, "exit 2")).cause, EndCause::kExit);
}

TEST_P(EachIsolationTest, TellsThatMemoryRanOut) {
  Launch launch = Shell(1, HoldMemory(200));
  launch.limits.memory_bytes = 64 * kMiB;
  EXPECT_EQ(Run(launch).cause, EndCause::kOutOfMemory);
}

TEST_P(EachIsolationTest, LetsACommandUseTheMemoryThatItAskedFor) {
  Launch launch = Shell(1, "/usr/bin/python3 -c 'x = bytearray(b\"1\") * (100 << 20)'");
  launch.limits.memory_bytes = 200 * kMiB;
  EXPECT_EQ(Run(launch).cause, EndCause::kExit);
}

TEST_P(EachIsolationTest, UnlimitedMeansUnlimitedAfterALimitedAttempt) {
  Launch limited = Shell(1, "true");
  limited.limits = {64 * kMiB, 500, 0};
  Run(limited);
  executor_->Forget(limited.key);
  const Launch launch = Shell(2, "/usr/bin/python3 -c 'x = bytearray(b\"1\") * (200 << 20)'");
  EXPECT_EQ(Run(launch).cause, EndCause::kExit);
}

TEST_P(EachIsolationTest, EndsAnAttemptWhoseShimIsSuspended) {
  const Launch launch = Shell(1, "echo $PPID > shim; echo $$ > pid; touch ready; exec sleep 1000");
  options_.stop_margin = absl::Milliseconds(100);
  Open(GetParam());
  StartUntilReady(launch);
  kill(PidIn(launch.folder + "/shim"), SIGSTOP);
  executor_->Stop(launch.key, absl::Milliseconds(50));
  EXPECT_EQ(WaitForEnd(launch.key).cause, EndCause::kStopped);
  EXPECT_FALSE(IsAlive(PidIn(launch.folder + "/pid")));
}

TEST_P(EachIsolationTest, TellsThatAnAttemptIsLostWhoseShimWasKilled) {
  const Launch launch =
      Shell(1, "echo $PPID > shim; sleep 1000 & echo $! > child; echo $$ > pid; touch ready; wait");
  StartUntilReady(launch);
  kill(PidIn(launch.folder + "/shim"), SIGKILL);
  EXPECT_EQ(WaitForEnd(launch.key).cause, EndCause::kLost);
  const pid_t child = PidIn(launch.folder + "/child");
  const pid_t pid = PidIn(launch.folder + "/pid");
  EXPECT_TRUE(Eventually([&] { return !IsAlive(child) && !IsAlive(pid); }));
}

// Linux 6.18 kills whatever clone3(2) starts in a cgroup in which cgroup.kill was used before.
TEST_P(EachIsolationTest, StartsAttemptsWhereEarlierOnesWereKilled) {
  const Launch killed = Shell(1, "setsid sleep 1000 & exit 0");
  Run(killed);
  executor_->Forget(killed.key);
  for (std::uint32_t i = 2; i < 5; ++i) {
    const Launch launch = Shell(i, "exit 0");
    EXPECT_EQ(Run(launch).cause, EndCause::kExit);
    executor_->Forget(launch.key);
  }
}

class CgroupTest : public ExecutorFixture {
 protected:
  void SetUp() override {
    Open("");
    if (executor_->isolation() == "none") GTEST_SKIP() << "no cgroup can be written here";
  }
};

TEST_F(CgroupTest, TellsThatOnlyAChildRanOutOfMemory) {
  if (executor_->isolation() == "cgroup-v2") GTEST_SKIP() << "v2 ends the whole group";
  Launch launch = Shell(1, "(" + HoldMemory(200) + "); echo went on; exit 6");
  launch.limits.memory_bytes = 64 * kMiB;
  const Ended end = Run(launch);
  EXPECT_EQ(end.cause, EndCause::kExit);
  EXPECT_EQ(end.code, 6);
  EXPECT_TRUE(end.usage.child_out_of_memory);
}

TEST_F(CgroupTest, DoesNotBlameALaterAttemptForTheMemoryOfAnEarlier) {
  Launch first = Shell(1, HoldMemory(200));
  first.limits.memory_bytes = 64 * kMiB;
  EXPECT_EQ(Run(first).cause, EndCause::kOutOfMemory);
  executor_->Forget(first.key);
  Launch second = Shell(2, "kill -KILL $$");
  second.limits.memory_bytes = 64 * kMiB;
  const Ended end = Run(second);
  EXPECT_EQ(end.cause, EndCause::kSignal);
  EXPECT_FALSE(end.usage.child_out_of_memory);
}

TEST_F(CgroupTest, HoldsTheCpuLimit) {
  Launch launch = Shell(1, "while :; do :; done");
  launch.limits.cpu_millis = 100;
  launch.timeout = absl::Seconds(1);
  launch.grace = absl::ZeroDuration();
  EXPECT_LT(Run(launch).usage.cpu_time, absl::Milliseconds(400));
}

// Folders come and go while other tests run.
int CountFolders(const std::string& folder, const std::string& name) {
  int count = 0;
  for (const std::string& each : FoldersIn(folder)) {
    count += each == name ? 1 : CountFolders(folder + "/" + each, name);
  }
  return count;
}

TEST_F(CgroupTest, LeavesNoCgroupBehind) {
  Launch launch = Shell(1, "cat /proc/self/cgroup");
  launch.limits = {64 * kMiB, 500, 0};
  Run(launch);
  const std::string groups = Log(launch);
  const auto at = groups.rfind("/potok-") + 1;
  ASSERT_NE(at, 0U) << groups;
  const std::string pool = groups.substr(at, groups.find('/', at) - at);
  EXPECT_NE(CountFolders("/sys/fs/cgroup", pool), 0);
  executor_.reset();
  EXPECT_EQ(CountFolders("/sys/fs/cgroup", pool), 0);
}

TEST_F(CgroupTest, EndsAForkBomb) {
  Launch launch = Shell(1, "b() { b | b & }; touch ready; b; sleep 1000");
  launch.limits.cpu_millis = 500;
  StartUntilReady(launch);
  executor_->Stop(launch.key, absl::ZeroDuration());
  EXPECT_EQ(WaitForEnd(launch.key).cause, EndCause::kStopped);
}

}  // namespace
}  // namespace potok::agent
