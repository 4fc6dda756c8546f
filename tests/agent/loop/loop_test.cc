#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/loop/agent_loop.h"
#include "tests/agent/loop/fakes.h"

namespace potok::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class AgentLoopTest : public ::testing::Test {
 protected:
  static Report Of(ReportEvent event) { return {kKey, std::move(event)}; }
  static FailedReport FailureIn(const Report& report) {
    return std::get<FailedReport>(report.event);
  }
  TempFolder state_;
};

TEST_F(AgentLoopTest, RunsAStepWithoutFilesInTheTurnThatOrderedIt) {
  FakeAgent agent(state_.path());
  agent.Join();
  agent.Hear(AnOrder());
  ASSERT_THAT(agent.executor.launches, SizeIs(1));
  EXPECT_THAT(agent.executor.launches[0].argv, ElementsAre("/bin/true"));
  EXPECT_TRUE(std::filesystem::is_directory(agent.Path("work/outputs")));
  agent.Start();
  agent.End(EndCause::kExit, 0);
  EXPECT_THAT(agent.link.reports, ElementsAre(Of(StartedReport{}), Of(SucceededReport{})));
  EXPECT_THAT(agent.executor.forgotten, ElementsAre(kKey));
}

TEST_F(AgentLoopTest, SaysWhatAnAttemptUsedWithItsEnd) {
  FakeAgent agent(state_.path());
  agent.Join();
  agent.Hear(AnOrder());
  agent.Start();
  Ended ended;
  ended.usage.peak_memory_bytes = 17;
  ended.usage.cpu_time = absl::Seconds(3);
  agent.executor.news.push_back({kKey, ended});
  agent.Turn();
  EXPECT_EQ(agent.link.reports.back(), Of(SucceededReport{.usage = ended.usage}));
}

TEST_F(AgentLoopTest, AddsTheUseOfTheAttemptsGpus) {
  FakeAgent agent(state_.path());
  agent.Join();
  v1::StartAttempt start;
  start.add_gpu_indices(0);
  start.add_gpu_indices(2);
  agent.Hear(AnOrder(kKey, start));
  agent.Start();
  agent.executor.usage = {{kKey, Usage()}};
  agent.gpus.readings = {{0, {0.5, 10}}, {1, {1, 1000}}, {2, {0.3, 5}}};
  agent.now += absl::Seconds(2);
  agent.Turn();
  agent.gpus.readings = {{0, {0.1, 1}}, {2, {0.1, 30}}};
  agent.now += absl::Seconds(2);
  agent.Turn();
  Ended ended;
  ended.usage.cpu_time = absl::Seconds(3);
  agent.executor.news.push_back({kKey, ended});
  agent.Turn();
  const Usage usage = *std::get<SucceededReport>(agent.link.reports.back().event).usage;
  EXPECT_DOUBLE_EQ(*usage.gpu_utilization, 0.25);
  EXPECT_EQ(usage.gpu_peak_memory_bytes, 31);
}

TEST_F(AgentLoopTest, SaysWhatWasAskedWhenMemoryRanOut) {
  FakeAgent agent(state_.path());
  agent.Join();
  v1::StartAttempt start;
  start.mutable_resources()->set_memory_bytes(512 << 20);
  agent.Hear(AnOrder(kKey, start));
  agent.Start();
  agent.End(EndCause::kOutOfMemory, 9);
  EXPECT_EQ(
      FailureIn(agent.link.reports.back()).message,
      "out of memory: the step asked 512 MiB (resources.memory); its processes reached it: ask "
      "for more");
}

TEST_F(AgentLoopTest, SaysThatAShortStepRanTogetherWithItsEnd) {
  FakeAgent agent(state_.path());
  agent.Join();
  agent.Hear(AnOrder());
  agent.executor.Started(kKey);
  const absl::Duration next = agent.Turn();
  EXPECT_THAT(agent.link.reports, IsEmpty());
  EXPECT_EQ(next, agent.now + absl::Milliseconds(2));
  agent.now += absl::Milliseconds(1);
  agent.End(EndCause::kExit, 0);
  EXPECT_THAT(agent.link.reports, ElementsAre(Of(StartedReport{}), Of(SucceededReport{})));
  EXPECT_EQ(agent.link.report_messages, 1);
}

// Four processors are kept busy by the ten that go on, so the messages keep a distance.
TEST_F(AgentLoopTest, GathersReportsWhileMoreAttemptsAreLiveThanProcessorsNeed) {
  FakeAgent agent(state_.path());
  agent.Join();
  for (std::uint32_t i = 0; i < 12; ++i) agent.Hear(AnOrder(AttemptKey{9, i, 1}));
  for (std::uint32_t i = 0; i < 12; ++i) agent.Start(AttemptKey{9, i, 1});
  const int said = agent.link.report_messages;
  agent.now += absl::Milliseconds(5);
  agent.executor.End({9, 0, 1}, EndCause::kExit);
  agent.Turn();
  EXPECT_EQ(agent.link.report_messages, said + 1) << "the first one after a pause goes at once";
  agent.executor.End({9, 1, 1}, EndCause::kExit);
  const absl::Duration next = agent.Turn();
  EXPECT_EQ(agent.link.report_messages, said + 1);
  EXPECT_EQ(next, agent.now + absl::Milliseconds(5));
  for (std::uint32_t i = 2; i < 5; ++i) agent.executor.End({9, i, 1}, EndCause::kExit);
  agent.Turn();
  EXPECT_EQ(agent.link.report_messages, said + 2) << "too few are left to wait for more";
  EXPECT_THAT(agent.link.reports, SizeIs(12 + 5));
}

TEST_F(AgentLoopTest, SaysAllThatATurnBroughtInOneMessage) {
  FakeAgent agent(state_.path());
  agent.Join();
  const AttemptKey other{8, 0, 1};
  agent.Hear(AnOrder());
  agent.Hear(AnOrder(other));
  agent.executor.Started(kKey);
  agent.executor.Started(other);
  agent.executor.End(kKey, EndCause::kExit);
  agent.executor.End(other, EndCause::kExit, 3);
  agent.Turn();
  EXPECT_EQ(agent.link.report_messages, 1);
  EXPECT_THAT(agent.link.reports, SizeIs(4));
}

TEST_F(AgentLoopTest, RemovesTheFolderOnceTheReportIsAcknowledged) {
  FakeAgent agent(state_.path());
  agent.Join();
  agent.Hear(AnOrder());
  agent.End(EndCause::kExit, 0);
  EXPECT_TRUE(agent.OnDisk());
  agent.Hear(ReportsAcknowledged{{kKey}});
  EXPECT_FALSE(agent.OnDisk());
}

TEST_F(AgentLoopTest, KeepsTheFolderUntilTheLogIsStoredToo) {
  FakeAgent agent(state_.path());
  agent.Join();
  agent.Hear(AnOrder());
  agent.End(EndCause::kExit, 0, 120);
  EXPECT_EQ(agent.logs.finished[kKey], 120);
  agent.Hear(ReportsAcknowledged{{kKey}});
  EXPECT_TRUE(agent.OnDisk());
  agent.Happen(kKey, LogStored{});
  EXPECT_FALSE(agent.OnDisk());
}

TEST_F(AgentLoopTest, ReportsTheExitCodeOfAFailedCommand) {
  FakeAgent agent(state_.path());
  agent.Join();
  agent.Hear(AnOrder());
  agent.Start();
  agent.End(EndCause::kExit, 3, 17);
  ASSERT_THAT(agent.link.reports, SizeIs(2));
  const FailedReport failure = FailureIn(agent.link.reports[1]);
  EXPECT_EQ(failure.cause, FailureCause::kExitCode);
  EXPECT_EQ(failure.code, 3);
  EXPECT_EQ(failure.log_bytes, 17);
  EXPECT_THAT(agent.transfers.storing, IsEmpty());
}

TEST_F(AgentLoopTest, FailsAStepWhoseInputCannotBeFetched) {
  FakeAgent agent(state_.path());
  agent.Join();
  agent.Hear(AnOrderWithInput());
  EXPECT_THAT(agent.transfers.staging, ElementsAre(kKey));
  agent.Happen(kKey, StagingDone{absl::NotFoundError("the input \"data\" is gone")});
  EXPECT_THAT(agent.executor.launches, IsEmpty());
  EXPECT_THAT(agent.link.reports,
              ElementsAre(Of(FailedReport{.cause = FailureCause::kInput,
                                          .message = "the input \"data\" is gone"})));
}

TEST_F(AgentLoopTest, FailsAStepWhoseRuntimeCannotBePreparedWithItsLog) {
  FakeAgent agent(state_.path());
  agent.Join();
  agent.Hear(AnOrderWithInput());
  StagingDone done{absl::FailedPreconditionError("could not pull the image")};
  done.is_of_runtime = true;
  done.log_bytes = 12;
  agent.Happen(kKey, done);
  EXPECT_THAT(agent.executor.launches, IsEmpty());
  EXPECT_THAT(
      agent.link.reports,
      ElementsAre(Of(FailedReport{
          .cause = FailureCause::kStart, .message = "could not pull the image", .log_bytes = 12})));
  EXPECT_EQ(agent.logs.finished[kKey], 12);
}

TEST_F(AgentLoopTest, StoresOutputsBeforeItReportsSuccess) {
  FakeAgent agent(state_.path());
  agent.Join();
  agent.Hear(AnOrderWithOutput());
  agent.Start();
  agent.End(EndCause::kExit, 0);
  EXPECT_THAT(agent.transfers.storing, ElementsAre(kKey));
  const std::vector<OutputValue> outputs{{"model", AFolder("m")}};
  agent.Happen(kKey, OutputsStored{outputs});
  EXPECT_THAT(
      agent.link.reports,
      ElementsAre(
          Of(StartedReport{}), Of(ExitedReport{}), Of(SucceededReport{.outputs = outputs})));
}

TEST_F(AgentLoopTest, StoresDefaultArtifactsOfAStepThatDeclaresNoOutput) {
  FakeAgent agent(state_.path());
  agent.Join();
  agent.Hear(AnOrder());
  agent.Start();
  WriteText(agent.Path("work/outputs/world.txt"), "hello");
  agent.End(EndCause::kExit, 0);
  EXPECT_THAT(agent.transfers.storing, ElementsAre(kKey));
}

TEST_F(AgentLoopTest, FailsAStepWhoseOutputIsMissing) {
  FakeAgent agent(state_.path());
  agent.Join();
  agent.Hear(AnOrderWithOutput());
  agent.End(EndCause::kExit, 0, 5);
  agent.Happen(kKey, OutputsStored{absl::NotFoundError("the output is missing")});
  EXPECT_EQ(
      agent.link.reports.back(),
      Of(FailedReport{
          .cause = FailureCause::kOutput, .message = "the output is missing", .log_bytes = 5}));
}

TEST_F(AgentLoopTest, FailsAStepThatCannotBeStarted) {
  FakeAgent agent(state_.path());
  agent.Join();
  agent.executor.refuse = absl::ResourceExhaustedError("no more processes");
  agent.Hear(AnOrder());
  EXPECT_THAT(
      agent.link.reports,
      ElementsAre(Of(FailedReport{.cause = FailureCause::kStart, .message = "no more processes"})));
}

TEST_F(AgentLoopTest, StopsAStepWhileItsInputsAreFetchedAndKeepsTheFolderUntilThatEnds) {
  FakeAgent agent(state_.path());
  agent.Join();
  agent.Hear(AnOrderWithInput());
  agent.Hear(StopOrder{kKey, absl::Seconds(1)});
  EXPECT_THAT(agent.link.reports, ElementsAre(Of(StoppedReport{})));
  EXPECT_THAT(agent.transfers.canceled, ElementsAre(kKey));
  agent.Hear(ReportsAcknowledged{{kKey}});
  EXPECT_TRUE(agent.OnDisk());
  agent.Happen(kKey, StagingDone{});
  EXPECT_FALSE(agent.OnDisk());
  EXPECT_THAT(agent.executor.launches, IsEmpty());
}

TEST_F(AgentLoopTest, StopsARunningStepWithTheGraceThatWasOrdered) {
  FakeAgent agent(state_.path());
  agent.Join();
  agent.Hear(AnOrder());
  agent.Start();
  agent.Hear(StopOrder{kKey, absl::Seconds(7)});
  EXPECT_EQ(agent.executor.stops.at(kKey), absl::Seconds(7));
  agent.End(EndCause::kStopped, 0, 9);
  EXPECT_EQ(agent.link.reports.back(), Of(StoppedReport{9}));
}

TEST_F(AgentLoopTest, StopsAStepWhoseOutputsAreBeingStored) {
  FakeAgent agent(state_.path());
  agent.Join();
  agent.Hear(AnOrderWithOutput());
  agent.End(EndCause::kExit, 0);
  agent.Hear(StopOrder{kKey, absl::Seconds(1)});
  EXPECT_EQ(agent.link.reports.back(), Of(StoppedReport{}));
  agent.Happen(kKey, OutputsStored{std::vector<OutputValue>{}});
  EXPECT_EQ(agent.link.reports.back(), Of(StoppedReport{})) << "the end was said twice";
}

TEST_F(AgentLoopTest, AnswersTheStopOfAnAttemptThatNeverArrived) {
  FakeAgent agent(state_.path());
  agent.Join();
  agent.Hear(StopOrder{kKey, absl::Seconds(1)});
  EXPECT_THAT(agent.link.reports, ElementsAre(Of(StoppedReport{})));
  EXPECT_THAT(agent.executor.stops, IsEmpty());
}

TEST_F(AgentLoopTest, StartsAnAttemptOnceHoweverOftenItIsOrdered) {
  FakeAgent agent(state_.path());
  agent.Join();
  agent.Hear(AnOrder());
  agent.Hear(AnOrder());
  EXPECT_THAT(agent.executor.launches, SizeIs(1));
  agent.End(EndCause::kExit, 1);
  agent.Hear(AnOrder());
  EXPECT_THAT(agent.executor.launches, SizeIs(1));
  EXPECT_THAT(agent.link.reports, SizeIs(2)) << "the report that was not heard is repeated";
}

TEST_F(AgentLoopTest, ReportsAnOrderThatMakesNoSense) {
  FakeAgent agent(state_.path());
  agent.Join();
  agent.Hear(UnusableOrder{kKey, "the input \"..\" cannot name a file"});
  EXPECT_EQ(FailureIn(agent.link.reports.at(0)).cause, FailureCause::kStart);
}

TEST_F(AgentLoopTest, ReportsACommandThatCannotBeRendered) {
  FakeAgent agent(state_.path());
  agent.Join();
  v1::StartAttempt start;
  start.set_command("echo $(( ${{inputs.x}} ))");
  v1::AttemptInput& input = *start.add_inputs();
  input.set_name("x");
  input.set_type(v1::VALUE_TYPE_STRING);
  input.set_text("a[$(touch /tmp/x)]");
  agent.Hear(AnOrder(kKey, start));
  EXPECT_EQ(FailureIn(agent.link.reports.at(0)).cause, FailureCause::kStart);
  EXPECT_THAT(agent.executor.launches, IsEmpty());
}

}  // namespace
}  // namespace potok::agent
