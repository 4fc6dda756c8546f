#include "agent/executor/shim_executor.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/agent/executor/executor_fixture.h"

namespace potok::agent {
namespace {

using testing::HasSubstr;

INSTANTIATE_TEST_SUITE_P(, EachIsolationTest, testing::Values("none", ""), &NameOfIsolation);

TEST_P(EachIsolationTest, TellsTheStartBeforeTheEndWithExitCode) {
  const Launch launch = Shell(1, "exit 7");
  const Ended end = Run(launch);
  EXPECT_EQ(end.cause, EndCause::kExit);
  EXPECT_EQ(end.code, 7);
  ASSERT_EQ(seen_.size(), 2U);
  EXPECT_FALSE(seen_[0].ended.has_value());
}

TEST_P(EachIsolationTest, TellsTheSignalThatEndedTheCommand) {
  const Ended end = Run(Shell(1, "kill -SEGV $$"));
  EXPECT_EQ(end.cause, EndCause::kSignal);
  EXPECT_EQ(end.code, SIGSEGV);
}

TEST_P(EachIsolationTest, TakesAKillFromOutsideForASignalNotForOutOfMemory) {
  Launch launch = Shell(1, "kill -KILL $$");
  launch.limits.memory_bytes = std::int64_t{256} << 20;
  const Ended end = Run(launch);
  EXPECT_EQ(end.cause, EndCause::kSignal);
  EXPECT_EQ(end.code, SIGKILL);
  EXPECT_FALSE(end.usage.child_out_of_memory);
}

TEST_P(EachIsolationTest, TakesExitCode137ForAnExitCode) {
  const Ended end = Run(Shell(1, "exit 137"));
  EXPECT_EQ(end.cause, EndCause::kExit);
  EXPECT_EQ(end.code, 137);
}

TEST_P(EachIsolationTest, GivesTheCommandExactlyItsEnvironment) {
  setenv("POTOK_OF_THE_AGENT", "1", 1);
  Launch launch = Command(1, {"/usr/bin/env"});
  launch.environment = {{"EMPTY", ""}, {"LINES", "a\nb"}, {"NAME", "a b=c"}};
  EXPECT_EQ(Run(launch).code, 0);
  EXPECT_EQ(Log(launch), "EMPTY=\nLINES=a\nb\nNAME=a b=c\n");
}

TEST_P(EachIsolationTest, HandsOnNoDescriptorAndNoSignalHandling) {
  signal(SIGPIPE, SIG_IGN);
  const int leaked = dup(0);
  const Launch launch =
      Command(1, {"/bin/grep", "-E", "^(SigBlk|SigIgn):.*[1-9a-f]", "/proc/self/status"});
  EXPECT_EQ(Run(launch).code, 1) << Log(launch);
  const Launch descriptors = Shell(2, "ls /proc/self/fd");
  Run(descriptors);
  EXPECT_EQ(Log(descriptors), "0\n1\n2\n3\n");  // 3 is ls's own
  close(leaked);
  signal(SIGPIPE, SIG_DFL);
}

TEST_P(EachIsolationTest, StartsInTheWorkingDirectoryWithoutInput) {
  Launch launch = Shell(1, "pwd; cat");
  launch.working_directory = root();
  EXPECT_EQ(Run(launch).code, 0);
  EXPECT_EQ(Log(launch), root() + "\n");
}

TEST_P(EachIsolationTest, KeepsOutputOfBothStreamsInOrderAndByteForByte) {
  const Launch launch = Shell(1, R"(printf 'a\000b\377'; printf 'error' >&2; printf 'no newline')");
  const Ended end = Run(launch);
  EXPECT_EQ(Log(launch), std::string("a\0b\377errorno newline", 19));
  EXPECT_EQ(end.log_bytes, 19);
}

TEST_P(EachIsolationTest, KeepsAHundredMegabytesOfLog) {
  const Launch launch = Shell(1, "head -c 104857600 /dev/zero");
  const Ended end = Run(launch);
  EXPECT_EQ(end.code, 0);
  EXPECT_EQ(end.log_bytes, 104857600);
  EXPECT_EQ(std::filesystem::file_size(launch.folder + "/log"), 104857600U);
}

TEST_P(EachIsolationTest, TellsTimeAndMemoryUsed) {
  const Ended end = Run(Shell(1, "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"));
  EXPECT_GT(end.usage.cpu_time, absl::Milliseconds(10));
  EXPECT_GT(end.usage.peak_memory_bytes, 100'000);
}

TEST_P(EachIsolationTest, SaysWhatCouldNotBeRunAndWhy) {
  struct Case {
    std::string program;
    std::string content;
    mode_t mode;
    std::string message;
  };
  const Case cases[] = {
      {root() + "/absent", "", 0, "No such file"},
      {root() + "/plain", "#!/bin/sh\n", 0644, "Permission denied"},
      {root() + "/garbage", "\1\2garbage", 0755, "Exec format error"},
      {root() + "/orphan", "#!/no/interpreter\n", 0755, "no such interpreter"},
  };
  std::uint32_t index = 0;
  for (const Case& each : cases) {
    if (each.mode != 0) {
      std::ofstream(each.program) << each.content;
      chmod(each.program.c_str(), each.mode);
    }
    const Launch launch = Command(++index, {each.program});
    const Ended end = Run(launch);
    EXPECT_EQ(end.cause, EndCause::kStartFailed) << each.program;
    EXPECT_THAT(end.message, HasSubstr(each.program));
    EXPECT_THAT(end.message, HasSubstr(each.message));
  }
  for (const ProcessEvent& event : seen_) EXPECT_TRUE(event.ended.has_value());
}

TEST_P(EachIsolationTest, SaysThatArgumentsAreTooLong) {
  const Launch launch = Command(1, {"/bin/true", std::string(200'000, 'x')});
  const Ended end = Run(launch);
  EXPECT_EQ(end.cause, EndCause::kStartFailed);
  EXPECT_THAT(end.message, HasSubstr("/bin/true: Argument list too long"));
}

TEST_P(EachIsolationTest, SaysThatTheWorkingDirectoryIsMissing) {
  Launch launch = Shell(1, "true");
  launch.working_directory = root() + "/absent";
  const Ended end = Run(launch);
  EXPECT_EQ(end.cause, EndCause::kStartFailed);
  EXPECT_THAT(end.message, HasSubstr("working directory " + root() + "/absent"));
}

TEST_P(EachIsolationTest, NeverStartsTwiceInOneFolder) {
  const Launch first = Shell(1, "echo once; touch ready; exec sleep 1000");
  StartUntilReady(first);
  Launch second = first;
  second.key.index = 2;
  EXPECT_EQ(executor_->Start(second).code(), absl::StatusCode::kAlreadyExists);
  executor_->Stop(first.key, absl::ZeroDuration());
  WaitForEnd(first.key);
  EXPECT_EQ(executor_->Start(second).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(Log(first), "once\n");
}

TEST_P(EachIsolationTest, RefusesAnEmptyCommandAndAMissingFolder) {
  EXPECT_EQ(executor_->Start(Command(1, {})).code(), absl::StatusCode::kInvalidArgument);
  Launch launch = Shell(2, "true");
  std::filesystem::remove(launch.folder);
  EXPECT_EQ(executor_->Start(launch).code(), absl::StatusCode::kNotFound);
}

std::size_t Count(const std::string& folder) {
  const std::filesystem::directory_iterator files(folder);
  return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

TEST_P(EachIsolationTest, LeavesNothingBehindAfterFiveHundredAttemptsAtOnce) {
  Run(Shell(1000, "true"));
  executor_->Forget({1, 1000, 1});
  const std::size_t descriptors = Count("/proc/self/fd");
  for (std::uint32_t i = 0; i < 500; ++i) {
    const absl::Status started = executor_->Start(Command(i, {"/bin/true"}));
    ASSERT_TRUE(started.ok()) << started;
  }
  for (std::uint32_t i = 0; i < 500; ++i) {
    EXPECT_EQ(WaitForEnd({1, i, 1}).cause, EndCause::kExit);
    executor_->Forget({1, i, 1});
  }
  EXPECT_EQ(seen_.size(), 1002U);
  // Some shims wait for more, with a pidfd and a channel each; they end with the executor.
  constexpr std::size_t kIdleShimsMax = 64;
  EXPECT_TRUE(Eventually([&] {
    executor_->TakeEvents();
    return Count("/proc/self/fd") <= descriptors + 2 * kIdleShimsMax;
  }));
  executor_.reset();
  EXPECT_TRUE(Eventually([] { return waitpid(-1, nullptr, WNOHANG) == -1; })) << "a child is left";
}

}  // namespace
}  // namespace potok::agent
