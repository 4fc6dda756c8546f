// Connections, leases, ends and restarts of the agent's loop.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/loop/agent_loop.h"
#include "tests/agent/loop/fakes.h"

namespace potok::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Report Of(ReportEvent event) {
  return {kKey, std::move(event)};
}
FailureCause CauseOf(const Report& report) {
  return std::get<FailedReport>(report.event).cause;
}

class SessionTest : public ::testing::Test {
 protected:
  TempFolder state_;
};

TEST_F(SessionTest, SaysInItsHelloWhatIsLiveAndWhatIsNotAcknowledged) {
  FakeAgent agent(state_.path());
  const AttemptKey other{7, 4, 1};
  agent.Join();
  agent.Hear(AnOrder());
  agent.Hear(AnOrder(other));
  agent.End(EndCause::kExit, 2);
  agent.Hear(LinkClosed{absl::UnavailableError("gone")});
  agent.now += absl::Seconds(1);
  agent.Turn();
  ASSERT_THAT(agent.link.hellos, SizeIs(2));
  EXPECT_THAT(agent.link.hellos[1].live, ElementsAre(other));
  ASSERT_THAT(agent.link.hellos[1].unacknowledged, SizeIs(1));
  EXPECT_EQ(agent.link.hellos[1].unacknowledged[0].key, kKey);
}

TEST_F(SessionTest, SaysAfterTheWelcomeWhatHappenedSinceTheHello) {
  FakeAgent agent(state_.path());
  agent.Join();
  agent.Hear(AnOrder());
  agent.Start();
  agent.Hear(LinkClosed{absl::UnavailableError("gone")});
  agent.now += absl::Seconds(1);
  agent.Turn();
  agent.link.reports.clear();
  agent.End(EndCause::kExit, 0);
  EXPECT_THAT(agent.link.reports, IsEmpty()) << "nothing is said before the welcome";
  agent.Hear(Welcome{absl::Minutes(1), absl::Seconds(5), {kKey}});
  EXPECT_THAT(agent.link.reports, ElementsAre(Of(SucceededReport{})));
}

TEST_F(SessionTest, RepeatsThatAnAttemptRunsToAServerThatWelcomesIt) {
  FakeAgent agent(state_.path());
  agent.Join();
  agent.Hear(AnOrder());
  agent.Start();
  agent.Hear(LinkClosed{absl::UnavailableError("gone")});
  agent.link.reports.clear();
  agent.now += absl::Seconds(1);
  agent.Join();
  agent.now += absl::Milliseconds(2);
  agent.Turn();
  EXPECT_THAT(agent.link.reports, ElementsAre(Of(StartedReport{})));
}

TEST_F(SessionTest, EndsAndForgetsWhatTheServerDoesNotWantAnyMore) {
  FakeAgent agent(state_.path());
  agent.Join();
  agent.Hear(AnOrder());
  agent.Start();
  agent.Hear(LinkClosed{absl::UnavailableError("gone")});
  agent.now += absl::Seconds(1);
  agent.Turn();
  agent.link.reports.clear();
  agent.Hear(Welcome{absl::Minutes(1), absl::Seconds(5), {}});
  EXPECT_TRUE(agent.executor.stops.contains(kKey));
  agent.End(EndCause::kStopped, 0, 40);
  EXPECT_THAT(agent.link.reports, IsEmpty());
  EXPECT_FALSE(agent.OnDisk());
}

TEST_F(SessionTest, WaitsLongerAfterEachFailureToConnectUntilItIsWelcomed) {
  FakeAgent agent(state_.path());
  absl::Duration last;
  for (int i = 0; i < 10; ++i) {
    agent.Turn();
    agent.Hear(LinkClosed{absl::UnavailableError("refused")});
    const absl::Duration wait = agent.Turn() - agent.now;
    EXPECT_GE(wait, absl::Milliseconds(100));
    EXPECT_LE(wait, absl::Seconds(5));
    last = wait;
    agent.now += wait;
  }
  EXPECT_GE(last, absl::Milliseconds(2500));
  agent.Join();
  agent.Hear(LinkClosed{absl::UnavailableError("refused")});
  EXPECT_LE(agent.Turn() - agent.now, absl::Milliseconds(200));
}

TEST_F(SessionTest, IgnoresWordsOfAnOlderSession) {
  FakeAgent agent(state_.path());
  agent.Join();
  std::vector<LoopEvent> events;
  LinkNews late{agent.link.session - 1, {}};
  late.words.emplace_back(AnOrder());
  events.emplace_back(std::move(late));
  agent.Turn(std::move(events));
  EXPECT_THAT(agent.executor.launches, IsEmpty());
}

TEST_F(SessionTest, TellsWithHeartbeatsWhatRunningAttemptsUseButNotWithEach) {
  FakeAgent agent(state_.path());
  agent.Join();
  agent.Hear(AnOrder());
  agent.Start();
  Usage usage;
  usage.memory_bytes = 17;
  agent.executor.usage = {{kKey, usage}};
  for (int i = 0; i < 30; ++i) {
    agent.now += absl::Seconds(1);
    agent.Turn();
  }
  EXPECT_EQ(agent.link.heartbeats.size(), 6U);
  ASSERT_EQ(agent.link.usage.size(), 3U);
  EXPECT_EQ(agent.link.usage.front().key, kKey);
  EXPECT_EQ(agent.link.usage.front().usage, usage);
}

TEST_F(SessionTest, CountsTheLeaseFromWhenTheAcknowledgedHeartbeatWasSent) {
  FakeAgent agent(state_.path());
  agent.Turn();
  const absl::Duration hello_sent = agent.now;
  agent.now += absl::Seconds(2);
  agent.Hear(Welcome{absl::Seconds(60), absl::Seconds(5), {}});
  EXPECT_EQ(agent.executor.deadline, hello_sent + absl::Seconds(60));
  agent.now += absl::Seconds(5);
  agent.Turn();
  const absl::Duration beat_sent = agent.now;
  ASSERT_THAT(agent.link.heartbeats, ElementsAre(1));
  agent.now += absl::Seconds(3);
  agent.Hear(HeartbeatAcknowledged{1});
  EXPECT_EQ(agent.executor.deadline, beat_sent + absl::Seconds(60));
}

TEST_F(SessionTest, HasNoDeadlineWhereTheServerNamesNoLease) {
  FakeAgent agent(state_.path());
  agent.Join(absl::ZeroDuration());
  EXPECT_EQ(agent.executor.deadline, absl::InfiniteDuration());
}

TEST_F(SessionTest, StartsNothingMoreOnceTheLeaseIsOver) {
  FakeAgent agent(state_.path());
  agent.Join(absl::Seconds(60));
  agent.Hear(AnOrderWithInput());
  agent.Hear(LinkClosed{absl::UnavailableError("gone")});
  agent.now += absl::Seconds(61);
  agent.Turn();
  agent.Happen(kKey, StagingDone{});
  EXPECT_THAT(agent.executor.launches, IsEmpty());
  agent.now += absl::Seconds(5);
  agent.Hear(LinkClosed{absl::UnavailableError("still gone")});
  agent.now += absl::Seconds(5);
  agent.Turn();
  ASSERT_THAT(agent.link.hellos.back().unacknowledged, SizeIs(1));
  EXPECT_EQ(CauseOf(agent.link.hellos.back().unacknowledged[0]), FailureCause::kLease);
}

TEST_F(SessionTest, LeavesRunningStepsToTheNextAgent) {
  {
    FakeAgent agent(state_.path());
    agent.Join();
    agent.Hear(AnOrder());
    agent.Start();
    agent.Turn([] {
      std::vector<LoopEvent> events;
      events.emplace_back(StopSignal{});
      return events;
    }());
    EXPECT_TRUE(agent.loop.done());
    EXPECT_FALSE(agent.link.said_goodbye) << "a step is left behind";
    EXPECT_THAT(agent.executor.stops, IsEmpty());
  }
  FakeAgent next(state_.path());
  next.Turn();
  EXPECT_THAT(next.executor.adopted, ElementsAre(kKey));
  EXPECT_THAT(next.link.hellos.at(0).live, ElementsAre(kKey));
  next.End(EndCause::kExit, 0);
  next.Hear(Welcome{absl::Minutes(1), absl::Seconds(5), {kKey}});
  EXPECT_THAT(next.link.reports, ElementsAre(Of(SucceededReport{})));
}

TEST_F(SessionTest, EndsItsStepsAndSaysGoodbyeWhereItIsToldTo) {
  FakeAgent agent(state_.path(), "boot-1", OnStop::kKill);
  agent.Join();
  agent.Hear(AnOrder());
  agent.Start();
  std::vector<LoopEvent> events;
  events.emplace_back(StopSignal{});
  agent.Turn(std::move(events));
  EXPECT_TRUE(agent.executor.stops.contains(kKey));
  EXPECT_FALSE(agent.loop.done());
  agent.End(EndCause::kStopped);
  EXPECT_EQ(CauseOf(agent.link.reports.back()), FailureCause::kMachineLost);
  EXPECT_FALSE(agent.loop.done()) << "the report is not acknowledged yet";
  agent.Hear(ReportsAcknowledged{{kKey}});
  EXPECT_TRUE(agent.loop.done());
  EXPECT_TRUE(agent.link.said_goodbye);
}

TEST_F(SessionTest, EndsAtOnceAtTheSecondSignal) {
  FakeAgent agent(state_.path(), "boot-1", OnStop::kKill);
  agent.Join();
  agent.Hear(AnOrder());
  std::vector<LoopEvent> events;
  events.emplace_back(StopSignal{});
  events.emplace_back(StopSignal{});
  agent.Turn(std::move(events));
  EXPECT_TRUE(agent.loop.done());
}

TEST_F(SessionTest, TakesNoOrdersWhileItStops) {
  FakeAgent agent(state_.path(), "boot-1", OnStop::kKill);
  agent.Join();
  agent.Hear(AnOrder());
  std::vector<LoopEvent> events;
  events.emplace_back(StopSignal{});
  agent.Turn(std::move(events));
  agent.Hear(AnOrder({9, 0, 1}));
  EXPECT_THAT(agent.executor.launches, SizeIs(1));
}

}  // namespace
}  // namespace potok::agent
