// The supervisor with real processes: small scripts stand for server and agent.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "client/cli/stack/backoff.h"
#include "client/cli/stack/daemon.h"
#include "client/cli/stack/stack_config.h"
#include "client/cli/stack/stack_state.h"
#include "client/cli/stack/supervisor.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

TEST(BackoffTest, DoublesToTenSecondsAndStartsAnewAfterALongLife) {
  Backoff backoff;
  for (const double seconds : {0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0}) {
    EXPECT_EQ(backoff.AfterLifeOf(absl::Seconds(1)), absl::Seconds(seconds));
  }
  EXPECT_EQ(backoff.AfterLifeOf(absl::Seconds(31)), absl::Seconds(0.2));
  EXPECT_EQ(backoff.AfterLifeOf(absl::Seconds(1)), absl::Seconds(0.4));
}

TEST(AgentNamesTest, AreNumberedOnlyWhenThereAreSeveral) {
  EXPECT_EQ(AgentNames("vm", 1), std::vector<std::string>{"vm"});
  EXPECT_EQ(AgentNames("vm", 2), (std::vector<std::string>{"vm-1", "vm-2"}));
}

TEST(ProcessIdentityTest, KnowsThisProcessAndNotOneOfAnotherTime) {
  const std::optional<ProcessIdentity> self = IdentityOf(getpid());
  ASSERT_TRUE(self.has_value());
  EXPECT_TRUE(IsAlive(*self));
  ProcessIdentity other = *self;
  other.start_ticks += 1;
  EXPECT_FALSE(IsAlive(other));
  other = *self;
  other.boot_id = "another boot";
  EXPECT_FALSE(IsAlive(other));
}

class StackTest : public testing::Test {
 protected:
  void SetUp() override {
    char folder[] = "/tmp/potok-stack-XXXXXX";
    ASSERT_NE(mkdtemp(folder), nullptr);
    home_.root = folder;
    ASSERT_TRUE(home_.MakeFolders().ok());
    ASSERT_EQ(mkfifo((home_.root + "/never").c_str(), 0600), 0);
    config_.server_program = Script("server", Waiting("server"));
    config_.agent_program = Script("agent", Waiting("agent"));
    config_.agents = {"m-1", "m-2"};
  }

  void TearDown() override {
    if (supervisor_ != 0) {
      kill(supervisor_, SIGKILL);
      waitpid(supervisor_, nullptr, 0);
    }
    for (const ProcessSpec& process : ProcessesOf(config_, home_)) {
      if (const auto live = LiveProcessOf(home_.pid_file(process.name))) kill(live->pid, SIGKILL);
    }
    std::filesystem::remove_all(home_.root);
  }

  // A script without children that says when it is ready, and on SIGTERM writes its name to the
  // file "ended".
  std::string Waiting(const std::string& name) const {
    return fmt::format(
        "trap 'echo {1} >> {0}/ended; exit 0' TERM\n: > {0}/ready-$$\nexec 3<> {0}/never\n"
        "while :; do read -r -t 0.05 -u 3; done\n",
        home_.root,
        name);
  }

  std::string Script(const std::string& name, const std::string& text) const {
    const std::string path = home_.root + "/" + name + ".sh";
    std::ofstream(path) << "#!/bin/bash\n" << text;
    chmod(path.c_str(), 0700);
    return path;
  }

  void StartSupervisor(const StopPatience& patience = StopPatience()) {
    supervisor_ = fork();
    if (supervisor_ != 0) return;
    const int log = open(home_.log("supervisor").c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
    dup2(log, STDERR_FILENO);
    dup2(log, STDOUT_FILENO);
    _exit(Supervise(home_, config_, patience).ok() ? 0 : 1);
  }

  int StopSupervisor() {
    kill(supervisor_, SIGTERM);
    int status = 0;
    waitpid(supervisor_, &status, 0);
    supervisor_ = 0;
    return WEXITSTATUS(status);
  }

  void KillSupervisor() {
    kill(supervisor_, SIGKILL);
    waitpid(supervisor_, nullptr, 0);
    supervisor_ = 0;
  }

  template <class Condition>
  static bool Eventually(const Condition& condition) {
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    while (!condition()) {
      if (absl::Now() > deadline) return false;
      absl::SleepFor(absl::Milliseconds(5));
    }
    return true;
  }

  // The state of all three processes once each of them is ready.
  std::vector<ProcessState> AllRunning() {
    std::vector<ProcessState> states;
    EXPECT_TRUE(Eventually([&] {
      states = LoadState(home_);
      return states.size() == 3 &&
             std::all_of(states.begin(), states.end(), [&](const ProcessState& state) {
               return IsAlive(state.identity) && IsReady(state);
             });
    }));
    return states;
  }

  bool IsReady(const ProcessState& state) const {
    return std::filesystem::exists(fmt::format("{}/ready-{}", home_.root, state.identity.pid));
  }

  Home home_;
  StackConfig config_;
  pid_t supervisor_ = 0;
};

TEST_F(StackTest, StartsServerAndAgentsWithTheirFlags) {
  StartSupervisor();
  const std::vector<ProcessState> states = AllRunning();
  ASSERT_EQ(states.size(), 3U);
  EXPECT_EQ(states[0].name, "server");
  EXPECT_EQ(states[1].name, "agent-m-1");
  EXPECT_EQ(states[2].name, "agent-m-2");
  const std::string agent = fmt::format("/proc/{}/cmdline", states[2].identity.pid);
  EXPECT_NE(ContentOf(agent).find("--name=m-2"), std::string::npos);
  EXPECT_TRUE(SupervisorRuns(home_));
}

TEST_F(StackTest, StartsAKilledServerAgainWithinASecond) {
  StartSupervisor();
  const std::vector<ProcessState> before = AllRunning();
  ASSERT_EQ(before.size(), 3U);
  kill(before[0].identity.pid, SIGKILL);
  ASSERT_TRUE(Eventually([&] { return LoadState(home_).front().restarts == 1; }));
  const absl::Time ended = LoadState(home_).front().last_end_at;
  const std::vector<ProcessState> after = AllRunning();
  EXPECT_LT(absl::Now() - ended, absl::Seconds(10));
  EXPECT_NE(after[0].identity, before[0].identity);
  EXPECT_EQ(after[0].last_end, "signal 9 (Killed)");
  EXPECT_EQ(after[1].identity, before[1].identity);
}

TEST_F(StackTest, TakesOverWhatAKilledSupervisorLeftAndStartsNothingTwice) {
  StartSupervisor();
  const std::vector<ProcessState> before = AllRunning();
  KillSupervisor();
  EXPECT_FALSE(SupervisorRuns(home_));
  StartSupervisor();
  ASSERT_TRUE(Eventually([&] { return SupervisorRuns(home_); }));
  // That a killed agent comes back shows that the new supervisor is at work.
  kill(before[1].identity.pid, SIGKILL);
  ASSERT_TRUE(Eventually([&] {
    const std::vector<ProcessState> states = LoadState(home_);
    return states[1].identity != before[1].identity && IsAlive(states[1].identity);
  }));
  const std::vector<ProcessState> after = AllRunning();
  EXPECT_EQ(after[0].identity, before[0].identity);
  EXPECT_NE(after[1].identity, before[1].identity);
  EXPECT_EQ(after[2].identity, before[2].identity);
  EXPECT_EQ(after[0].restarts, 0);
}

TEST_F(StackTest, LeavesTheHomeToTheSupervisorThatHasIt) {
  StartSupervisor();
  AllRunning();
  const absl::Status second = Supervise(home_, config_, StopPatience());
  EXPECT_TRUE(absl::IsAlreadyExists(second)) << second;
}

TEST_F(StackTest, StopsTheAgentsBeforeTheServer) {
  StartSupervisor();
  AllRunning();
  EXPECT_EQ(StopSupervisor(), 0);
  EXPECT_EQ(ContentOf(home_.root + "/ended"), "agent\nagent\nserver\n");
  EXPECT_FALSE(LiveProcessOf(home_.pid_file("server")).has_value());
  EXPECT_FALSE(LiveProcessOf(home_.pid_file("agent-m-1")).has_value());
  EXPECT_FALSE(SupervisorRuns(home_));
  EXPECT_TRUE(LoadState(home_).empty());
}

TEST_F(StackTest, KillsWhatDoesNotEndWhenAsked) {
  config_.agent_program = Script("stubborn",
                                 fmt::format("trap '' TERM\n: > {0}/ready-$$\nexec 3<> {0}/never\n"
                                             "while :; do read -r -t 0.05 -u 3; done\n",
                                             home_.root));
  StartSupervisor(StopPatience{absl::Milliseconds(200), absl::Seconds(20)});
  const std::vector<ProcessState> states = AllRunning();
  EXPECT_EQ(StopSupervisor(), 0);
  EXPECT_FALSE(IsAlive(states[1].identity));
  EXPECT_FALSE(IsAlive(states[2].identity));
}

TEST_F(StackTest, StopsWhatAKilledSupervisorLeft) {
  StartSupervisor();
  const std::vector<ProcessState> states = AllRunning();
  KillSupervisor();
  const auto stopped = StopLeftovers(home_, config_, StopPatience());
  ASSERT_TRUE(stopped.ok()) << stopped.status();
  EXPECT_EQ(*stopped, (std::vector<std::string>{"agent-m-2", "agent-m-1", "server"}));
  for (const ProcessState& state : states) EXPECT_FALSE(IsAlive(state.identity)) << state.name;
}

TEST_F(StackTest, TriesAProgramThatCannotRunAgainAndAgain) {
  config_.server_program = home_.root + "/nothing-here";
  StartSupervisor();
  ASSERT_TRUE(Eventually([&] {
    const std::vector<ProcessState> states = LoadState(home_);
    return !states.empty() && states[0].restarts >= 2;
  }));
  EXPECT_EQ(LoadState(home_)[0].last_end, "exit code 127");
  EXPECT_NE(ContentOf(home_.log("server")).find("cannot run"), std::string::npos);
}

TEST_F(StackTest, KeepsTheConfigurationInAFile) {
  config_.agent_memory = "8GiB";
  config_.agent_labels = {"zone=a b"};
  ASSERT_TRUE(SaveConfig(config_, home_).ok());
  const auto loaded = LoadConfig(home_);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(*loaded, config_);
}

TEST_F(StackTest, FindsProgramsBesideItsOwnFirst) {
  EXPECT_EQ(*FindProgram("server.sh", home_.root + "/potok", "/usr/bin"),
            home_.root + "/server.sh");
  EXPECT_EQ(*FindProgram("bash", home_.root + "/potok", "/nowhere:/bin"), "/bin/bash");
  const absl::Status missing = FindProgram("no-such", "/bin/potok", "/usr/bin").status();
  EXPECT_TRUE(absl::IsNotFound(missing));
}

}  // namespace
}  // namespace potok::client
