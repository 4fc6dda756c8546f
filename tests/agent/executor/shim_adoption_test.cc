// An agent dies by SIGKILL and another one takes up its attempts. The first agent is a child
// process of the test.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <functional>

#include "agent/executor/attempt_state.h"
#include "tests/agent/executor/executor_fixture.h"

namespace potok::agent {
namespace {

class AdoptionTest : public ExecutorFixture, public testing::WithParamInterface<const char*> {
 protected:
  // Runs `work` with an executor in another process and kills that by SIGKILL.
  void InAnAgentThatIsKilled(const std::function<void()>& work) {
    options_.isolation = GetParam();
    int done[2];
    ASSERT_EQ(pipe(done), 0);
    const pid_t agent = fork();
    if (agent == 0) {
      Open(GetParam());
      work();
      const char result = HasFailure() ? 'F' : 'K';
      if (write(done[1], &result, 1) != 1) _exit(1);
      for (;;) pause();
    }
    close(done[1]);
    char result = 0;
    EXPECT_EQ(read(done[0], &result, 1), 1);
    EXPECT_EQ(result, 'K');
    close(done[0]);
    kill(agent, SIGKILL);
    waitpid(agent, nullptr, 0);
  }

  void Adopt(const Launch& launch) {
    const absl::Status adopted = executor_->Adopt(launch.key, launch.folder);
    ASSERT_TRUE(adopted.ok()) << adopted;
  }
};

INSTANTIATE_TEST_SUITE_P(, AdoptionTest, testing::Values("none", ""), &NameOfIsolation);

TEST_P(AdoptionTest, TakesUpARunningAttemptAndTellsItsEnd) {
  const Launch launch =
      Shell(1, "touch ready; while [ ! -e go ]; do sleep 0.01; done; echo last; exit 8");
  InAnAgentThatIsKilled([&] { StartUntilReady(launch); });
  Open(GetParam());
  Adopt(launch);
  EXPECT_TRUE(WaitForStart(launch.key));
  std::ofstream(launch.folder + "/go");
  const Ended end = WaitForEnd(launch.key);
  EXPECT_EQ(end.cause, EndCause::kExit);
  EXPECT_EQ(end.code, 8);
  EXPECT_EQ(Log(launch), "last\n");
}

TEST_P(AdoptionTest, TellsTheEndOfAnAttemptThatEndedWithoutAnAgent) {
  const Launch launch = Shell(1, "touch ready; while [ ! -e go ]; do sleep 0.01; done; exit 8");
  InAnAgentThatIsKilled([&] { StartUntilReady(launch); });
  std::ofstream(launch.folder + "/go");
  ASSERT_TRUE(Eventually([&] { return !FindState(launch.folder)->shim_lives; }));
  Open(GetParam());
  Adopt(launch);
  EXPECT_EQ(WaitForEnd(launch.key).code, 8);
  executor_->Stop(launch.key, absl::ZeroDuration());
  executor_->Forget(launch.key);
}

TEST_P(AdoptionTest, StopsAnAdoptedAttempt) {
  const Launch launch = Shell(1, "echo $$ > pid; touch ready; sleep 1000 & wait");
  InAnAgentThatIsKilled([&] { StartUntilReady(launch); });
  Open(GetParam());
  Adopt(launch);
  executor_->Stop(launch.key, absl::Seconds(30));
  EXPECT_EQ(WaitForEnd(launch.key).cause, EndCause::kStopped);
  EXPECT_FALSE(IsAlive(PidIn(launch.folder + "/pid")));
}

TEST_P(AdoptionTest, EndsAdoptedAttemptsByTheLease) {
  const Launch launch = Shell(1, "touch ready; exec sleep 1000");
  InAnAgentThatIsKilled([&] { StartUntilReady(launch); });
  Open(GetParam());
  Adopt(launch);
  executor_->SetLeaseDeadline(absl::ZeroDuration());
  EXPECT_EQ(WaitForEnd(launch.key).cause, EndCause::kLease);
}

TEST_P(AdoptionTest, TheLeaseEndsAttemptsWhileThereIsNoAgent) {
  const Launch launch = Shell(1, "touch ready; exec sleep 1000");
  InAnAgentThatIsKilled([&] {
    StartUntilReady(launch);
    timespec now = {};
    clock_gettime(CLOCK_BOOTTIME, &now);
    executor_->SetLeaseDeadline(absl::DurationFromTimespec(now) + absl::Milliseconds(100));
  });
  ASSERT_TRUE(Eventually([&] { return !FindState(launch.folder)->shim_lives; }));
  Open(GetParam());
  Adopt(launch);
  EXPECT_EQ(WaitForEnd(launch.key).cause, EndCause::kLease);
}

TEST_P(AdoptionTest, TellsThatAnAttemptIsLostWhoseShimWasKilledAndKillsWhatIsLeft) {
  const Launch launch =
      Shell(1, "sleep 1000 & echo $! > child; echo $$ > pid; echo $PPID > shim; touch ready; wait");
  InAnAgentThatIsKilled([&] { StartUntilReady(launch); });
  kill(PidIn(launch.folder + "/shim"), SIGKILL);
  const pid_t pid = PidIn(launch.folder + "/pid");
  ASSERT_TRUE(Eventually([&] { return !IsAlive(pid); }));
  Open(GetParam());
  Adopt(launch);
  EXPECT_EQ(WaitForEnd(launch.key).cause, EndCause::kLost);
  const pid_t child = PidIn(launch.folder + "/child");
  EXPECT_TRUE(Eventually([&] { return !IsAlive(child); }));
}

TEST_P(AdoptionTest, TellsThatAFolderWithoutAShimIsLost) {
  const Launch launch = Shell(1, "true");
  Open(GetParam());
  Adopt(launch);
  EXPECT_EQ(WaitForEnd(launch.key).cause, EndCause::kLost);
}

TEST_P(AdoptionTest, DoesNotTrustTheEndOfAnAttemptOfAnEarlierBoot) {
  const Launch launch = Shell(1, "exit 0");
  Open(GetParam());
  Run(launch);
  std::fstream state(StatePath(launch.folder), std::ios::in | std::ios::out | std::ios::binary);
  state.seekp(offsetof(ShimRecord, boot_id));
  state.write("other", 6);
  state.close();
  seen_.clear();
  Open(GetParam());
  Adopt(launch);
  EXPECT_EQ(WaitForEnd(launch.key).cause, EndCause::kLost);
}

TEST_P(AdoptionTest, RefusesToAdoptTwice) {
  const Launch launch = Shell(1, "true");
  Open(GetParam());
  Adopt(launch);
  EXPECT_EQ(executor_->Adopt(launch.key, launch.folder).code(), absl::StatusCode::kAlreadyExists);
}

TEST_P(AdoptionTest, LosesAndDoublesNothingWhenAgentsDieAgainAndAgain) {
  std::vector<Launch> launches;
  for (std::uint32_t round = 0; round < 5; ++round) {
    InAnAgentThatIsKilled([&] {
      for (const Launch& launch : launches) {
        EXPECT_TRUE(executor_->Adopt(launch.key, launch.folder).ok());
      }
      for (std::uint32_t i = 0; i < 5; ++i) {
        const std::uint32_t index = round * 5 + i;
        const auto script = "echo begin; sleep 0." + std::to_string(i) + "; echo end; exit ";
        EXPECT_TRUE(executor_->Start(Shell(index, script + std::to_string(index))).ok());
      }
    });
    for (std::uint32_t i = 0; i < 5; ++i) launches.push_back(Shell(round * 5 + i, ""));
  }
  Open(GetParam());
  for (const Launch& launch : launches) {
    Adopt(launch);
    EXPECT_EQ(WaitForEnd(launch.key).code, static_cast<int>(launch.key.index));
    EXPECT_EQ(Log(launch), "begin\nend\n");
  }
}

// An agent that was stopped for good may leave attempts in cgroups that nobody adopts.
TEST_P(AdoptionTest, TheFirstStartEndsWhatWasNotAdopted) {
  const Launch orphan = Shell(1, "echo $$ > pid; touch ready; exec sleep 1000");
  InAnAgentThatIsKilled([&] { StartUntilReady(orphan); });
  Open(GetParam());
  if (executor_->isolation() == "none") {
    Adopt(orphan);
    executor_->Stop(orphan.key, absl::ZeroDuration());
    WaitForEnd(orphan.key);
    GTEST_SKIP() << "without cgroups nobody knows of it";
  }
  const Launch launch = Shell(2, "exit 1");
  EXPECT_EQ(Run(launch).code, 1);
  const pid_t pid = PidIn(orphan.folder + "/pid");
  EXPECT_TRUE(Eventually([&] { return !IsAlive(pid); }));
}

}  // namespace
}  // namespace potok::agent
