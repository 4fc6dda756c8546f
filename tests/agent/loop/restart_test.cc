// A new agent over the folder of an earlier one, in each phase of an attempt.

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

class RestartTest : public ::testing::Test {
 protected:
  // Lets an agent get to where `go_on` brings it, and ends it like kill -9 does.
  template <class GoOn>
  void Live(GoOn go_on) {
    FakeAgent agent(state_.path());
    agent.Join();
    go_on(agent);
  }
  TempFolder state_;
};

TEST_F(RestartTest, KeepsItsIdentity) {
  const std::string id = FakeAgent(state_.path()).folders->state_id();
  EXPECT_THAT(id, SizeIs(20));
  EXPECT_EQ(FakeAgent(state_.path()).folders->state_id(), id);
}

TEST_F(RestartTest, RefusesASecondAgentOnTheSameFolder) {
  FakeAgent agent(state_.path());
  const auto second = AttemptFolders::Open(state_.path(), "boot-1");
  EXPECT_EQ(second.status().code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(RestartTest, StagesAgainWhatHadNotStarted) {
  Live([](FakeAgent& agent) { agent.Hear(AnOrderWithInput()); });
  FakeAgent next(state_.path());
  next.Join();
  EXPECT_THAT(next.link.hellos[0].live, ElementsAre(kKey));
  EXPECT_THAT(next.transfers.staging, ElementsAre(kKey));
  next.Happen(kKey, StagingDone{});
  EXPECT_THAT(next.executor.launches, SizeIs(1));
}

TEST_F(RestartTest, AdoptsWhatRunsAndNeverStartsItAgain) {
  Live([](FakeAgent& agent) {
    agent.Hear(AnOrder());
    agent.Start();
  });
  FakeAgent next(state_.path());
  next.Join();
  EXPECT_THAT(next.executor.adopted, ElementsAre(kKey));
  EXPECT_THAT(next.logs.followed, ElementsAre(kKey));
  EXPECT_THAT(next.executor.launches, IsEmpty());
  next.Hear(AnOrder());
  EXPECT_THAT(next.executor.launches, IsEmpty());
}

TEST_F(RestartTest, KnowsWhatRunsAnAttemptThatItAdopts) {
  Live([](FakeAgent& agent) {
    agent.Hear(AnOrderWithInput());
    StagingDone done;
    done.runtime.emplace().shown = "python sha256:aa";
    agent.Happen(kKey, done);
    agent.Start();
    EXPECT_EQ(agent.link.reports.back().runtime, "python sha256:aa");
  });
  FakeAgent next(state_.path());
  next.Join();
  EXPECT_THAT(next.executor.adopted, ElementsAre(kKey));
  next.executor.End(kKey, EndCause::kExit, 3);
  next.Turn();
  ASSERT_FALSE(next.link.reports.empty());
  EXPECT_EQ(next.link.reports.back().runtime, "python sha256:aa");
}

TEST_F(RestartTest, AdoptsAllBeforeItStartsTheFirst) {
  const AttemptKey later{9, 0, 1};
  Live([&](FakeAgent& agent) {
    agent.Hear(AnOrderWithInput());
    agent.Hear(AnOrder(later));
  });
  // The first has not started, and could start without staging now.
  v1::StartAttempt simple;
  simple.set_command("/bin/true");
  const std::string order = state_.path() + "/attempts/" + ToString(kKey) + "/order";
  WriteText(order, simple.SerializeAsString());
  FakeAgent next(state_.path());
  EXPECT_THAT(next.executor.adopted, ElementsAre(later));
  EXPECT_THAT(next.executor.launches, SizeIs(1));
}

TEST_F(RestartTest, StoresOutputsAgainThatWereBeingStored) {
  Live([](FakeAgent& agent) {
    agent.Hear(AnOrderWithOutput());
    agent.End(EndCause::kExit, 0);
  });
  FakeAgent next(state_.path());
  next.End(EndCause::kExit, 0);
  EXPECT_THAT(next.transfers.storing, ElementsAre(kKey));
}

TEST_F(RestartTest, RepeatsAReportThatWasNotAcknowledged) {
  const SucceededReport success{.outputs = {{"model", AFolder("m")}, {"auc", "0.9"}},
                                .log_bytes = 12};
  Live([&](FakeAgent& agent) {
    agent.Hear(AnOrderWithOutput());
    agent.End(EndCause::kExit, 0, 12);
    agent.Happen(kKey, OutputsStored{success.outputs});
  });
  FakeAgent next(state_.path());
  next.Join();
  EXPECT_THAT(next.link.hellos[0].unacknowledged, ElementsAre(Of(success)));
  EXPECT_THAT(next.link.hellos[0].live, IsEmpty());
  EXPECT_EQ(next.logs.finished[kKey], 12);
  next.Hear(ReportsAcknowledged{{kKey}});
  next.Happen(kKey, LogStored{});
  EXPECT_FALSE(next.OnDisk());
}

// While the server listens the shim's state is enough; it is not trusted over a start of the
// machine, so a report that nobody heard is kept as a file.
TEST_F(RestartTest, KeepsReportsOverAStartOfTheMachineWhileTheServerIsAway) {
  const AttemptKey later{9, 0, 1};
  Live([&](FakeAgent& agent) {
    agent.Hear(AnOrder());
    agent.Hear(AnOrder(later));
    agent.End(EndCause::kExit, 0);
    EXPECT_FALSE(std::filesystem::exists(agent.Path("report")));
    agent.Hear(LinkClosed{absl::UnavailableError("gone")});
    EXPECT_TRUE(std::filesystem::exists(agent.Path("report")));
    agent.executor.End(later, EndCause::kExit, 3);
    agent.Turn();
  });
  FakeAgent next(state_.path(), "boot-2");
  next.Join();
  ASSERT_THAT(next.link.hellos[0].unacknowledged, SizeIs(2));
  EXPECT_EQ(next.link.hellos[0].unacknowledged[0], Of(SucceededReport{}));
  const auto failure = std::get<FailedReport>(next.link.hellos[0].unacknowledged[1].event);
  EXPECT_EQ(failure.cause, FailureCause::kExitCode);
}

TEST_F(RestartTest, LosesWhatRanBeforeTheMachineStartedAnew) {
  Live([](FakeAgent& agent) {
    agent.Hear(AnOrder());
    agent.Start();
    WriteText(agent.Path("log"), "epoch 1\n");
  });
  FakeAgent next(state_.path(), "boot-2");
  next.Join();
  EXPECT_THAT(next.executor.adopted, IsEmpty());
  ASSERT_THAT(next.link.hellos[0].unacknowledged, SizeIs(1));
  const auto failure = std::get<FailedReport>(next.link.hellos[0].unacknowledged[0].event);
  EXPECT_EQ(failure.cause, FailureCause::kMachineLost);
  EXPECT_EQ(failure.log_bytes, 8) << "what it had written is still shipped";
}

TEST_F(RestartTest, RemovesAFolderThatNeverGotItsOrder) {
  WriteText(state_.path() + "/attempts/7.3.1/order.new", "half");
  FakeAgent agent(state_.path());
  agent.Join();
  EXPECT_FALSE(agent.OnDisk());
  EXPECT_THAT(agent.link.hellos[0].live, IsEmpty());
}

TEST_F(RestartTest, ReportsAnAttemptWhoseOrderCannotBeReadAsLost) {
  WriteText(state_.path() + "/attempts/7.3.1/order", "\xff\xff\xff");
  FakeAgent agent(state_.path());
  agent.Join();
  ASSERT_THAT(agent.link.hellos[0].unacknowledged, SizeIs(1));
}

}  // namespace
}  // namespace potok::agent
