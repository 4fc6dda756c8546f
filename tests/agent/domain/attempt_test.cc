#include "agent/domain/attempt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace potok::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::vector<AttemptState>& EveryState() {
  static const std::vector<AttemptState> states = {
      Staging{},
      Active{},
      Active{.started = true},
      Active{.started = true, .stopping = StopReason::kOrdered},
      Active{.started = true, .stopping = StopReason::kUnwanted},
      Uploading{12},
      Finished{.report = SucceededReport{}},
      Finished{.report = SucceededReport{}, .acknowledged = true},
      Finished{.report = StoppedReport{}, .files_idle = false},
      Finished{.log_stored = true, .files_idle = false}};
  return states;
}

const std::vector<AttemptEvent>& EveryEvent() {
  static const std::vector<AttemptEvent> events = {
      StagingDone{},
      StagingDone{absl::NotFoundError("gone")},
      LaunchRefused{absl::InternalError("no")},
      ProcessStarted{},
      ProcessEnded{},
      ProcessEnded{.nothing_to_store = true},
      ProcessEnded{.was_stopped = true},
      ProcessEnded{.failure = FailedReport{.code = 3}},
      OutputsStored{std::vector<OutputValue>{}},
      OutputsStored{absl::NotFoundError("missing")},
      StopAsked{StopReason::kOrdered, absl::Seconds(1)},
      StopAsked{StopReason::kUnwanted, absl::Seconds(1)},
      StopAsked{StopReason::kAgentStops, absl::Seconds(1)},
      LeaseExpired{},
      ReportAcknowledged{},
      LogStored{}};
  return events;
}

bool Has(const Transition& transition, Action action) {
  return std::find(transition.actions.begin(), transition.actions.end(), action) !=
         transition.actions.end();
}

TEST(AttemptTest, NeverLeavesTheEndAndSaysItOnce) {
  for (const AttemptState& state : EveryState()) {
    for (const AttemptEvent& event : EveryEvent()) {
      const Transition next = Next(state, event);
      if (!IsLive(state)) {
        EXPECT_FALSE(IsLive(next.state));
        EXPECT_FALSE(Has(next, Action::kFinish)) << state.index() << " " << event.index();
      }
      EXPECT_EQ(Has(next, Action::kFinish), IsLive(state) && !IsLive(next.state))
          << state.index() << " " << event.index();
    }
  }
}

TEST(AttemptTest, RemovesOnlyWhatNobodyNeedsOrTouches) {
  for (const AttemptState& state : EveryState()) {
    for (const AttemptEvent& event : EveryEvent()) {
      const Transition next = Next(state, event);
      if (!Has(next, Action::kRemove)) continue;
      const Finished& finished = std::get<Finished>(next.state);
      EXPECT_TRUE(finished.files_idle);
      EXPECT_TRUE(finished.log_stored);
      EXPECT_TRUE(finished.acknowledged || !finished.report);
    }
  }
}

TEST(AttemptTest, LaunchesOnlyWhatIsStaged) {
  for (const AttemptState& state : EveryState()) {
    for (const AttemptEvent& event : EveryEvent()) {
      const auto* staged = std::get_if<StagingDone>(&event);
      const bool launches =
          std::holds_alternative<Staging>(state) && staged != nullptr && staged->status.ok();
      EXPECT_EQ(Has(Next(state, event), Action::kLaunch), launches);
    }
  }
}

TEST(AttemptTest, ReportsAStopHoweverTheProcessesEnded) {
  const Active stopping{.started = true, .stopping = StopReason::kOrdered};
  for (const ProcessEnded& end : {ProcessEnded{.log_bytes = 5},
                                  ProcessEnded{.was_stopped = true, .log_bytes = 5},
                                  ProcessEnded{.failure = FailedReport{}, .log_bytes = 5}}) {
    const Transition next = Next(stopping, end);
    EXPECT_EQ(std::get<Finished>(next.state).report, ReportEvent(StoppedReport{5}));
  }
}

TEST(AttemptTest, KeepsTheFirstReasonToStop) {
  const Transition once =
      Next(Active{.started = true}, StopAsked{StopReason::kOrdered, absl::Seconds(1)});
  const Transition twice = Next(once.state, StopAsked{StopReason::kAgentStops, absl::Seconds(1)});
  EXPECT_EQ(std::get<Active>(twice.state).stopping, StopReason::kOrdered);
  EXPECT_THAT(twice.actions, ElementsAre(Action::kStopProcesses));
}

TEST(AttemptTest, TellsWhatHadToBeFetchedWithWhatWasUsed) {
  AttemptState state =
      Next(Staging{}, StagingDone{.status = {}, .staged = StagedBytes{600, 1200}}).state;
  state = Next(state, ProcessStarted{}).state;
  const Transition ended = Next(state, ProcessEnded{.usage = Usage{}});
  const Transition stored = Next(ended.state, OutputsStored{std::vector<OutputValue>{}});
  const auto& report = std::get<Finished>(stored.state).report;
  const std::optional<Usage>& usage = std::get<SucceededReport>(*report).usage;
  EXPECT_EQ(usage->fetched_bytes, 600);
  EXPECT_EQ(usage->found_bytes, 1200);
  const Transition bare = Next(Active{.started = true}, ProcessEnded{.usage = Usage{}});
  EXPECT_EQ(std::get<Uploading>(bare.state).usage->fetched_bytes, std::nullopt)
      << "there was nothing to fetch";
}

TEST(AttemptTest, TellsNobodyOfWhatNobodyWants) {
  const Transition next = Next(Active{.stopping = StopReason::kUnwanted}, ProcessEnded{});
  EXPECT_EQ(std::get<Finished>(next.state).report, std::nullopt);
  EXPECT_THAT(next.actions, ElementsAre(Action::kFinish, Action::kRemove));
}

TEST(AttemptTest, LeavesTheLeaseOfRunningProcessesToTheShim) {
  EXPECT_THAT(Next(Active{.started = true}, LeaseExpired{}).actions, IsEmpty());
  EXPECT_THAT(Next(Uploading{}, LeaseExpired{}).actions, IsEmpty());
  const Transition staging = Next(Staging{}, LeaseExpired{});
  EXPECT_EQ(std::get<Finished>(staging.state).report, ReportEvent(LeaseFailure(0)));
}

}  // namespace
}  // namespace potok::agent
