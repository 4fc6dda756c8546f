// What attempts use: measured while they run, and told with their ends.
#include "agent/executor/attempt_state.h"
#include "tests/agent/executor/executor_fixture.h"

namespace potok::agent {
namespace {

using testing::AllOf;
using testing::Ge;
using testing::Le;

constexpr std::int64_t kMiB = 1 << 20;

INSTANTIATE_TEST_SUITE_P(, EachIsolationTest, testing::Values("none", ""), &NameOfIsolation);

// Holds `megabytes` of memory until FOLDER/go is there.
std::string HoldMemoryUntilTold(int megabytes) {
  return "exec /usr/bin/python3 -c 'import os, time\nx = bytearray(b\"1\") * (" +
         std::to_string(megabytes) +
         " << 20)\nopen(\"ready\", \"w\")\nwhile not os.path.exists(\"go\"): time.sleep(0.01)'";
}

void Tell(const Launch& launch) {
  std::ofstream(launch.folder + "/go");
}

TEST_P(EachIsolationTest, TellsWhatAnAttemptUsed) {
  Launch launch = Shell(1,
                        "/usr/bin/python3 -c 'x = bytearray(b\"1\") * (100 << 20)'; "
                        "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done");
  launch.limits.memory_bytes = 400 * kMiB;
  const Usage usage = Run(launch).usage;
  EXPECT_THAT(usage.peak_memory_bytes, AllOf(Ge(100 * kMiB), Le(250 * kMiB)));
  EXPECT_THAT(usage.cpu_time, Ge(absl::Milliseconds(50)));
  EXPECT_THAT(usage.wall_time, AllOf(Ge(absl::Milliseconds(25)), Le(absl::Minutes(5))));
  EXPECT_FALSE(usage.child_out_of_memory);
}

TEST_P(EachIsolationTest, MeasuresAttemptsWhileTheyRunAndKeepsThePeak) {
  const Launch launch = Shell(1, HoldMemoryUntilTold(100));
  StartUntilReady(launch);
  const std::vector<UsageSoFar> measured = executor_->Measure();
  ASSERT_EQ(measured.size(), 1U);
  EXPECT_EQ(measured.front().key, launch.key);
  const Usage& usage = measured.front().usage;
  EXPECT_THAT(usage.memory_bytes, AllOf(Ge(100 * kMiB), Le(250 * kMiB)));
  EXPECT_THAT(usage.peak_memory_bytes, Ge(usage.memory_bytes));
  EXPECT_THAT(usage.cpu_time, Ge(absl::Milliseconds(10)));
  Tell(launch);
  EXPECT_THAT(WaitForEnd(launch.key).usage.peak_memory_bytes, Ge(100 * kMiB));
  EXPECT_THAT(executor_->Measure(), testing::IsEmpty());
}

// The cgroup's peak is never lowered, and the shim counts on from attempt to attempt.
TEST_P(EachIsolationTest, DoesNotCountWhatAnEarlierAttemptUsed) {
  Launch large = Shell(1,
                       "/usr/bin/python3 -c 'import os\nx = bytearray(b\"1\") * (150 << 20)\n"
                       "f = open(\"data\", \"wb\"); f.write(bytes(8 << 20)); os.fsync(f.fileno())\n"
                       "sum(range(3000000))'");
  large.limits.memory_bytes = 400 * kMiB;
  const Usage before = Run(large).usage;
  executor_->Forget(large.key);
  Launch small = Shell(2, "true");
  small.limits.memory_bytes = 400 * kMiB;
  const Usage usage = Run(small).usage;
  EXPECT_THAT(before.peak_memory_bytes, Ge(150 * kMiB));
  EXPECT_THAT(usage.peak_memory_bytes, Le(50 * kMiB));
  EXPECT_THAT(usage.cpu_time, Le(before.cpu_time));
  if (before.written_bytes.has_value() && *before.written_bytes > 0) {
    EXPECT_THAT(*before.written_bytes, Ge(8 * kMiB));
    EXPECT_THAT(usage.written_bytes.value_or(0), Le(1 * kMiB));
  }
}

// A shell that waits for a child that the kernel ended: with cgroup v2 it is ended too, elsewhere
// it passes 128 + 9 on.
TEST_P(EachIsolationTest, TellsThatMemoryRanOutUnderAShellThatWaits) {
  Launch launch = Shell(1,
                        "/usr/bin/python3 -c 'import time\nx = bytearray(b\"1\") * (200 << 20)\n"
                        "time.sleep(600)'; exit $?");
  launch.limits.memory_bytes = 64 * kMiB;
  EXPECT_EQ(Run(launch).cause, EndCause::kOutOfMemory);
}

TEST_P(EachIsolationTest, TakesAnExitWith137AloneForNothingElse) {
  Launch launch = Shell(1, "sh -c 'kill -KILL $$'; exit $?");
  launch.limits.memory_bytes = 64 * kMiB;
  const Ended end = Run(launch);
  EXPECT_EQ(end.cause, EndCause::kExit);
  EXPECT_EQ(end.code, 137);
}

class ProcessLimitTest : public ExecutorFixture {};

TEST_F(ProcessLimitTest, StopsACommandFromMakingMoreProcesses) {
  options_.processes_max = 30;
  Open("");
  if (executor_->isolation() == "none") GTEST_SKIP() << "nothing limits processes here";
  const Launch launch =
      Shell(1, "i=0; while [ $i -lt 60 ]; do sleep 100 & i=$((i+1)); done; echo made all");
  const Ended end = Run(launch);
  EXPECT_EQ(end.cause, EndCause::kExit);
  EXPECT_NE(end.code, 0);
  EXPECT_THAT(Log(launch), testing::HasSubstr("fork"));
  EXPECT_THAT(Log(launch), testing::Not(testing::HasSubstr("made all")));
}

class AttemptStateTest : public ExecutorFixture {};

// A shim of the release before may have written it.
TEST_F(AttemptStateTest, ReadsARecordWithoutWhatWasUsed) {
  const Launch launch = Shell(1, "true");
  ShimRecord record = {};
  record.magic = kShimRecordMagic1;
  record.ended = 1;
  record.code = 3;
  record.read_bytes = 99;  // not of that record
  std::ofstream(launch.folder + "/state", std::ios::binary)
      .write(reinterpret_cast<const char*>(&record), kShimRecord1Bytes);
  const absl::StatusOr<FoundState> found = FindState(launch.folder);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(EndOf(found->record).code, 3);
  EXPECT_EQ(EndOf(found->record).usage, Usage());
}

}  // namespace
}  // namespace potok::agent
