#include "server/domain/step_record.h"

#include <type_traits>

#include "gtest/gtest.h"

namespace potok::server {
namespace {

// What waits in a long queue is as small as this; docs/benchmarks.md says what it comes to.
static_assert(sizeof(StepRecord) <= 40);
static_assert(std::is_nothrow_move_constructible_v<StepRecord>);

TEST(StepRecordTest, BeginsBlocked) {
  EXPECT_EQ(StepRecord().state(), StepState(Blocked{}));
}

TEST(StepRecordTest, StatesWithNothingInThemAreThereOnce) {
  for (const StepState& state :
       {StepState(Blocked{}), StepState(Queued{}), StepState(Resolving{}), StepState(Open{})}) {
    const StoredState one(state);
    const StoredState two(state);
    EXPECT_EQ(*one, state);
    EXPECT_EQ(&*one, &*two) << NameOf(state);
  }
}

TEST(StepRecordTest, StatesWithSomethingInThemAreTheStepsOwn) {
  const StepState promised = Queued{Placement{3, {0, 1}}, "made room"};
  const StepState failed = Failed{2, {FailureCause::kSignal, 9, "killed"}};
  for (const StepState& state : {promised, failed}) {
    const StoredState one(state);
    const StoredState copy = one;
    EXPECT_EQ(*one, state);
    EXPECT_EQ(*copy, state);
    EXPECT_NE(&*one, &*copy);
  }
}

TEST(StepRecordTest, CopiesAndMovesLeaveTheOthersAsTheyAre) {
  StepRecord record;
  record.SetState(Running{{1, {0}}});
  StepRecord copy = record;
  copy.SetState(Succeeded{1, {}});
  EXPECT_EQ(record.state(), StepState(Running{{1, {0}}}));
  StepRecord moved = std::move(copy);
  EXPECT_EQ(moved.state(), StepState(Succeeded{1, {}}));
  moved = record;
  record.SetState(Queued{});
  EXPECT_EQ(moved.state(), StepState(Running{{1, {0}}}));
  moved.SetState(moved.state());
  EXPECT_EQ(moved.state(), StepState(Running{{1, {0}}}));
}

}  // namespace
}  // namespace potok::server
