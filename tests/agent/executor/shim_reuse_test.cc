// Shims that are given one attempt after another.
#include <signal.h>
#include <sys/wait.h>

#include "agent/executor/attempt_state.h"
#include "tests/agent/executor/executor_fixture.h"

namespace potok::agent {
namespace {

INSTANTIATE_TEST_SUITE_P(, EachIsolationTest, testing::Values("none", ""), &NameOfIsolation);

pid_t ShimOf(const Launch& launch) {
  const auto found = FindState(launch.folder);
  EXPECT_TRUE(found.ok()) << found.status();
  return found.ok() ? found->record.shim_pid : 0;
}

TEST_P(EachIsolationTest, GivesAShimOneAttemptAfterAnother) {
  const Launch first = Shell(1, "echo first; exit 3");
  EXPECT_EQ(Run(first).code, 3);
  const Launch second = Shell(2, "echo second; pwd; exit 4");
  EXPECT_EQ(Run(second).code, 4);
  EXPECT_NE(ShimOf(first), 0);
  EXPECT_EQ(ShimOf(first), ShimOf(second));
  EXPECT_EQ(Log(first), "first\n");
  EXPECT_EQ(Log(second), "second\n" + second.working_directory + "\n");
}

TEST_P(EachIsolationTest, GivesEachOfTwoAtOnceAShimOfItsOwn) {
  const Launch first = Shell(1, "mkfifo go && touch ready && read _ < go");
  StartUntilReady(first);
  const Launch second = Shell(2, "exit 4");
  EXPECT_EQ(Run(second).code, 4);
  EXPECT_NE(ShimOf(first), ShimOf(second));
  std::ofstream(first.folder + "/go") << "\n";
  EXPECT_EQ(WaitForEnd(first.key).code, 0);
}

TEST_P(EachIsolationTest, CountsTimeAndMemoryOfEachAttemptAlone) {
  const Ended large = Run(Command(
      1, {"/usr/bin/python3", "-c", "x = bytearray(b'1') * (64 << 20); sum(range(3000000))"}));
  EXPECT_GT(large.usage.peak_memory_bytes, 64 << 20);
  EXPECT_GT(large.usage.cpu_time, absl::Milliseconds(20));
  const Ended small = Run(Command(2, {"/bin/true"}));
  EXPECT_LT(small.usage.peak_memory_bytes, 32 << 20);
  EXPECT_LT(small.usage.cpu_time, large.usage.cpu_time);
}

// The signal of a stop may come when the attempt has ended by itself.
TEST_P(EachIsolationTest, GivesAShimThatWasSignalledNothingMore) {
  const Launch stopped = Shell(1, "trap 'exit 0' TERM; mkfifo never; touch ready; read _ < never");
  StartUntilReady(stopped);
  executor_->Stop(stopped.key, absl::Seconds(30));
  EXPECT_EQ(WaitForEnd(stopped.key).cause, EndCause::kStopped);
  const Launch next = Shell(2, "exit 4");
  const Ended end = Run(next);
  EXPECT_EQ(end.cause, EndCause::kExit);
  EXPECT_EQ(end.code, 4);
  EXPECT_NE(ShimOf(stopped), ShimOf(next));
}

TEST_P(EachIsolationTest, StartsANewShimWhereTheIdleOneWasKilled) {
  const Launch first = Shell(1, "true");
  Run(first);
  kill(ShimOf(first), SIGKILL);
  // Until it is a zombie or gone: then it takes no order.
  ASSERT_TRUE(Eventually([&] { return !IsAlive(ShimOf(first)); }));
  const Launch second = Shell(2, "exit 4");
  EXPECT_EQ(Run(second).code, 4);
  EXPECT_NE(ShimOf(first), ShimOf(second));
}

TEST_P(EachIsolationTest, AnIdleShimEndsBySigtermAndWithItsAgent) {
  const Launch first = Shell(1, "true");
  Run(first);
  const pid_t shim = ShimOf(first);
  kill(shim, SIGTERM);
  EXPECT_TRUE(Eventually([&] { return !IsAlive(shim); }));
  const Launch second = Shell(2, "true");
  Run(second);
  executor_.reset();
  EXPECT_TRUE(Eventually([&] { return !IsAlive(ShimOf(second)); }));
}

TEST_P(EachIsolationTest, ABusyShimOutlivesItsAgentAndEndsWithItsAttempt) {
  Run(Shell(1, "true"));
  const Launch launch = Shell(2, "mkfifo go && touch ready && read _ < go; exit 4");
  StartUntilReady(launch);
  const pid_t shim = ShimOf(launch);
  executor_.reset();
  ASSERT_TRUE(IsAlive(shim));
  std::ofstream(launch.folder + "/go") << "\n";
  EXPECT_TRUE(Eventually([&] { return !IsAlive(shim); }));
  const auto found = FindState(launch.folder);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(EndOf(found->record).code, 4);
}

// An idle shim that kept the log open would keep the blocks of a removed log on the disk.
TEST_P(EachIsolationTest, AnIdleShimHoldsNothingOfTheAttempt) {
  const Launch launch = Shell(1, "echo x");
  Run(launch);
  const std::string process = "/proc/" + std::to_string(ShimOf(launch));
  for (const char* descriptor : {"/fd/1", "/fd/2"}) {
    EXPECT_EQ(std::filesystem::read_symlink(process + descriptor), "/dev/null");
  }
  EXPECT_FALSE(std::filesystem::exists(process + "/fd/5"));
  EXPECT_EQ(std::filesystem::read_symlink(process + "/cwd"), "/");
  const std::string words = ReadFile(process + "/cmdline");
  EXPECT_EQ(words.substr(0, words.find('\0')), "potok-shim");
  EXPECT_EQ(words.find_first_not_of('\0', sizeof("potok-shim")), std::string::npos) << words;
  const auto found = FindState(launch.folder);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_FALSE(found->shim_lives) << "the state is locked still";
}

TEST_P(EachIsolationTest, HandsOnArgumentsAndVariablesByteForByte) {
  Run(Shell(1, "true"));
  Launch launch = Command(2, {"/usr/bin/printf", "[%s]", "", "a b", "\n'\"$x\xff", "-"});
  launch.environment = {{"EMPTY", ""}, {"ODD", "=a=\nb"}};
  Run(launch);
  EXPECT_EQ(Log(launch), "[][a b][\n'\"$x\xff][-]");
  Launch variables = Command(3, {"/usr/bin/env", "-0"});
  variables.environment = launch.environment;
  Run(variables);
  EXPECT_EQ(Log(variables), std::string("EMPTY=\0ODD==a=\nb\0", 17));
  Launch none = Command(4, {"/usr/bin/env"});
  none.environment.clear();
  Run(none);
  EXPECT_EQ(Log(none), "");
}

// What does not fit into one message goes to a new shim.
TEST_P(EachIsolationTest, StartsAttemptsOfAnySize) {
  Run(Shell(1, "true"));
  for (const std::size_t size : {1000U, 60'000U, 64'000U, 66'000U, 120'000U}) {
    Launch launch = Shell(static_cast<std::uint32_t>(size), "echo ${#LONG}");
    launch.environment["LONG"] = std::string(size, 'x');
    EXPECT_EQ(Run(launch).code, 0);
    EXPECT_EQ(Log(launch), std::to_string(size) + "\n");
  }
  Launch many = Shell(2, "echo $#");
  for (int i = 0; i < 3000; ++i) many.argv.push_back("x");
  EXPECT_EQ(Run(many).code, 0);
  EXPECT_EQ(Log(many), "2999\n");
}

TEST_P(EachIsolationTest, SaysThatTheWorkingDirectoryOfALaterAttemptIsMissing) {
  Run(Shell(1, "true"));
  Launch launch = Shell(2, "true");
  launch.working_directory = launch.folder + "/gone";
  const Ended end = Run(launch);
  EXPECT_EQ(end.cause, EndCause::kStartFailed);
  EXPECT_THAT(end.message, testing::HasSubstr("/gone: No such file or directory"));
  EXPECT_EQ(Run(Shell(3, "exit 4")).code, 4);
}

}  // namespace
}  // namespace potok::agent
