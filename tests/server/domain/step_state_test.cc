#include "server/domain/step_state.h"

#include "gtest/gtest.h"

namespace potok::server {
namespace {

const Placement kPlace{7, {0, 1}};
const Placement kOther{8, {}};
const Failure kFailure{FailureCause::kExitCode, 3, "exit 3"};
const Reused kReused{{1, 2, 3}, 4};
const std::vector<OutputValue> kOutputs = {{"model", std::string("x")}};

std::vector<StepState> AllStates() {
  return {Blocked{},
          Queued{},
          Assigned{kPlace},
          Running{kPlace},
          Uploading{kPlace},
          Stopping{kPlace, "why"},
          Succeeded{7, kOutputs},
          Failed{7, kFailure},
          Canceled{"why"},
          Skipped{"why"},
          Resolving{},
          Open{},
          Delayed{absl::FromUnixSeconds(9), kFailure, 7},
          Leaving{kPlace, "why"}};
}

std::vector<StepEvent> AllEvents() {
  return {InputsReady{},
          Placed{kOther},
          AttemptStarted{},
          AttemptExited{},
          AttemptSucceeded{kOutputs},
          AttemptFailed{kFailure},
          AttemptStopped{},
          MachineLost{},
          StopRequested{"asked"},
          UpstreamFailed{"upstream"},
          ResultSought{},
          ResultTaken{kOutputs, kReused},
          Opened{},
          RetryWanted{absl::FromUnixSeconds(9), kFailure},
          DelayOver{},
          LeaveRequested{"emptied"},
          RoomPromised{kOther}};
}

// "." is the state itself, "!" a move that is impossible. Columns: InputsReady, Placed, Started,
// Exited, Succeeded, Failed, Stopped, MachineLost, StopRequested, UpstreamFailed, ResultSought,
// ResultTaken, Opened, RetryWanted, DelayOver, LeaveRequested, RoomPromised.
// clang-format off
constexpr const char* kTable[14][17] = {
    /* Blocked   */ {"Queued", "!", "!", "!", "!", "Failed", "!", "!", "Canceled", "Skipped", "Resolving", "Succeeded", "Open", "!", "!", "!", "!"},
    /* Queued    */ {".", "Assigned", "!", "!", "!", "Failed", "!", "!", "Canceled", "!", "Resolving", "Succeeded", "!", "!", "!", "!", "Queued"},
    /* Assigned  */ {"!", "!", "Running", "Uploading", "Succeeded", "Failed", "Queued", "Queued", "Stopping", "!", "!", "!", "!", "Delayed", "!", "Leaving", "!"},
    /* Running   */ {"!", "!", ".", "Uploading", "Succeeded", "Failed", "Queued", "Queued", "Stopping", "!", "!", "!", "!", "Delayed", "!", "Leaving", "!"},
    /* Uploading */ {"!", "!", ".", ".", "Succeeded", "Failed", "Queued", "Queued", "Stopping", "!", "!", "!", "!", "Delayed", "!", "Leaving", "!"},
    /* Stopping  */ {"!", "!", ".", ".", "Canceled", "Canceled", "Canceled", "Canceled", ".", "!", "!", "!", "!", "!", "!", ".", "!"},
    /* Succeeded */ {".", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", "."},
    /* Failed    */ {".", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", "."},
    /* Canceled  */ {".", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", "."},
    /* Skipped   */ {".", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", "."},
    /* Resolving */ {"Queued", "!", "!", "!", "!", "Failed", "!", "!", "Canceled", "!", ".", "Succeeded", "Open", "!", "!", "!", "!"},
    /* Open      */ {"!", "!", "!", "!", "Succeeded", "Failed", "!", "!", "Canceled", "!", "!", "!", "!", "Delayed", "!", "!", "!"},
    /* Delayed   */ {"!", "!", "!", "!", "!", "Failed", "!", "!", "Canceled", "!", "!", "!", "Open", "!", "Queued", "!", "!"},
    /* Leaving   */ {"!", "!", ".", ".", "Succeeded", "Failed", "Queued", "Queued", "Stopping", "!", "!", "!", "!", "Delayed", "!", ".", "!"},
};
// clang-format on

TEST(StepStateTest, EveryStateAnswersEveryEventAsTheTableSays) {
  const std::vector<StepState> states = AllStates();
  const std::vector<StepEvent> events = AllEvents();
  ASSERT_EQ(states.size(), std::variant_size_v<StepState>);
  ASSERT_EQ(events.size(), std::variant_size_v<StepEvent>);
  for (std::size_t s = 0; s < states.size(); ++s) {
    for (std::size_t e = 0; e < events.size(); ++e) {
      const std::string expected = kTable[s][e];
      const auto next = Next(states[s], events[e]);
      const std::string what = std::string(NameOf(states[s])) + " and event " + std::to_string(e);
      if (expected == "!") {
        EXPECT_EQ(next.status().code(), absl::StatusCode::kInternal) << what;
        continue;
      }
      ASSERT_TRUE(next.ok()) << what << next.status();
      if (expected == ".") {
        EXPECT_EQ(*next, states[s]) << what;
      } else {
        EXPECT_EQ(NameOf(*next), expected) << what;
      }
    }
  }
}

TEST(StepStateTest, ThePlacementStaysFromAssignedToTheEnd) {
  for (const StepState& state : AllStates()) {
    const Placement* placement = PlacementOf(state);
    const bool holds =
        (state.index() >= 2 && state.index() <= 5) || std::holds_alternative<Leaving>(state);
    ASSERT_EQ(placement != nullptr, holds) << NameOf(state);
    if (holds) {
      EXPECT_EQ(*placement, kPlace);
    }
  }
  EXPECT_EQ(*Next(Queued{}, Placed{kOther}), StepState(Assigned{kOther}));
  EXPECT_EQ(*Next(Assigned{kPlace}, AttemptStarted{}), StepState(Running{kPlace}));
  EXPECT_EQ(*Next(Running{kPlace}, AttemptExited{}), StepState(Uploading{kPlace}));
  EXPECT_EQ(*Next(Running{kPlace}, StopRequested{"r"}), StepState(Stopping{kPlace, "r"}));
}

TEST(StepStateTest, TheEndKeepsWhatItWasToldAndWhere) {
  EXPECT_EQ(*Next(Uploading{kPlace}, AttemptSucceeded{kOutputs}),
            StepState(Succeeded{7, kOutputs}));
  EXPECT_EQ(*Next(Running{kPlace}, AttemptFailed{kFailure}), StepState(Failed{7, kFailure}));
  EXPECT_EQ(*Next(Blocked{}, AttemptFailed{kFailure}), StepState(Failed{0, kFailure}));
  EXPECT_EQ(*Next(Stopping{kPlace, "first"}, AttemptStopped{}), StepState(Canceled{"first"}));
  EXPECT_EQ(*Next(Stopping{kPlace, "first"}, StopRequested{"second"}),
            StepState(Stopping{kPlace, "first"}));
}

TEST(StepStateTest, WhoTakesAResultSaysWhose) {
  EXPECT_EQ(*Next(Resolving{}, ResultTaken{kOutputs, kReused}),
            StepState(Succeeded{0, kOutputs, kReused}));
}

TEST(StepStateTest, FourStatesAreTerminal) {
  for (const StepState& state : AllStates()) {
    EXPECT_EQ(IsTerminal(state), state.index() >= 6 && state.index() <= 9) << NameOf(state);
  }
}

}  // namespace
}  // namespace potok::server
