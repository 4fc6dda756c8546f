#include "server/notify/notify_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <thread>

#include "fmt/format.h"
#include "tests/common/cas/cas_testing.h"

namespace potok::server {
namespace {

using testing::HasSubstr;
using testing::Not;

using Kind = Outcome::Kind;

class NotifyCommandTest : public testing::Test {
 protected:
  // A shell script that finds the test's folder as $FOLDER.
  Outcome Run(const std::string& script) {
    const std::string program = folder_ / "program";
    WriteFile(program, "#!/bin/sh\n" + script + "\n");
    chmod(program.c_str(), 0755);
    return RunNotifyCommand(
        {program, {"POTOK_RUN=calm_sea", "FOLDER=" + std::string(folder_ / "")}, "{\"a\":1}"},
        timeout_,
        [this] { return is_wanted_(); });
  }
  // Empty: not yet.
  std::string Written(const std::string& name) {
    std::ifstream file(folder_ / name);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  // Whether a process that the script wrote the id of runs; one that nobody reaped does not.
  bool IsAlive(const std::string& name) {
    const int pid = std::atoi(Written(name).c_str());
    std::ifstream file(fmt::format("/proc/{}/stat", pid));
    const std::string stat{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    const std::size_t end = stat.rfind(')');
    return end != std::string::npos && stat[end + 2] != 'Z' && stat[end + 2] != 'X';
  }

  TemporaryFolder folder_;
  absl::Duration timeout_ = absl::Seconds(60);
  std::function<bool()> is_wanted_ = [] { return true; };
};

TEST_F(NotifyCommandTest, GetsTheBodyAndItsEnvironmentAndNothingElse) {
  setenv("POTOK_SECRET_OF_SERVER", "x", 1);
  const Outcome outcome = Run("cat > $FOLDER/input; env > $FOLDER/env; pwd > $FOLDER/pwd");
  EXPECT_EQ(outcome.kind, Kind::kDelivered) << outcome.error;
  EXPECT_EQ(Written("input"), "{\"a\":1}");
  EXPECT_THAT(Written("env"), HasSubstr("POTOK_RUN=calm_sea\n"));
  EXPECT_THAT(Written("env"), Not(HasSubstr("POTOK_SECRET_OF_SERVER")));
  EXPECT_EQ(Written("pwd"), "/\n");
}

TEST_F(NotifyCommandTest, NeedsNotReadAndMayWriteMuch) {
  EXPECT_EQ(Run("head -c 3000000 /dev/zero").kind, Kind::kDelivered);
}

TEST_F(NotifyCommandTest, FailsWithTheLastLineOfWhatItWrote) {
  const Outcome outcome = Run("echo first; echo 'no such mailbox' >&2; exit 3");
  EXPECT_EQ(outcome.kind, Kind::kFailed);
  EXPECT_EQ(outcome.error, "it ended with exit code 3: no such mailbox");
  EXPECT_EQ(Run("kill -9 $$").error, "it ended with signal 9: it wrote nothing");
  const Outcome missing = RunNotifyCommand({"/nonexistent/x", {}, ""}, timeout_, is_wanted_);
  EXPECT_EQ(missing.error, "it cannot be started: No such file or directory");
}

TEST_F(NotifyCommandTest, IsKilledWithItsGroupWhenItHangs) {
  timeout_ = absl::Seconds(2);
  const Outcome outcome = Run("sleep 1000 & echo $! > $FOLDER/pid; wait");
  EXPECT_EQ(outcome.kind, Kind::kFailed);
  EXPECT_THAT(outcome.error, HasSubstr("it had not ended after 2s and was killed"));
  while (IsAlive("pid")) std::this_thread::yield();
}

TEST_F(NotifyCommandTest, IsKilledWhenTheServerStops) {
  is_wanted_ = [this] { return Written("ready").empty(); };
  EXPECT_EQ(Run("echo yes > $FOLDER/ready; sleep 1000").kind, Kind::kStopped);
}

TEST_F(NotifyCommandTest, IsOverWhenItEndsThoughWhatItStartedGoesOn) {
  const Outcome outcome = Run("sleep 1000 & echo $! > $FOLDER/pid; exit 0");
  EXPECT_EQ(outcome.kind, Kind::kDelivered);
  kill(std::stoi(Written("pid")), SIGKILL);
}

}  // namespace
}  // namespace potok::server
