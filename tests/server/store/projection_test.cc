#include "server/store/projection.h"

#include "gtest/gtest.h"
#include "tests/server/store/changes.h"

namespace potok::server {
namespace {

std::optional<AttemptEnded> FoldStep(const StepMoved& moved, RunFacts* run) {
  std::optional<AttemptEnded> ended;
  EXPECT_TRUE(Fold(moved, 9, run, &ended));
  return ended;
}

TEST(ProjectionTest, TakesTheTimesOfAStepFromItsMoves) {
  RunFacts run = FactsOf(ARun(1), 1);
  FoldStep(Move(1, 0, 0, Queued{}, 10), &run);
  FoldStep(Move(1, 0, 1, Assigned{On(4)}, 20), &run);
  FoldStep(Move(1, 0, 1, Running{On(4)}, 30), &run);
  FoldStep(Move(1, 0, 1, Uploading{On(4)}, 40), &run);
  const StepMoved last = Move(1, 0, 1, Succeeded{4, {}}, 50);
  FoldStep(last, &run);
  const StepRow row = RowOf(last, run.steps[0], 9);
  EXPECT_EQ(row.queued_us, 10);
  EXPECT_EQ(row.started_us, 30);
  EXPECT_EQ(row.ended_us, 50);
  EXPECT_EQ(row.machine, 4U);
  EXPECT_EQ(row.attempt, 1U);
  EXPECT_EQ(row.revision, 9);
}

// Its row had no time of queueing: `queued_at` of most short steps was empty.
TEST(ProjectionTest, TakesAStepThatWasPlacedAtOnceForQueuedAtThatMoment) {
  RunFacts run = FactsOf(ARun(1), 1);
  FoldStep(Move(1, 0, 1, Assigned{On(4)}, 20), &run);
  EXPECT_EQ(run.steps[0].queued_us, 20);
  FoldStep(Move(1, 0, 1, Assigned{On(4)}, 30), &run);
  EXPECT_EQ(run.steps[0].queued_us, 20) << "the same attempt, with another session";
}

TEST(ProjectionTest, StartsAtUploadingWhereRunningWasNeverSeen) {
  RunFacts run = FactsOf(ARun(1), 1);
  FoldStep(Move(1, 0, 1, Assigned{On(4)}, 20), &run);
  FoldStep(Move(1, 0, 1, Uploading{On(4)}, 40), &run);
  EXPECT_EQ(run.steps[0].started_us, 40);
}

TEST(ProjectionTest, StartsWhereItSucceededIfRunningWasNeverSeen) {
  RunFacts run = FactsOf(ARun(1), 1);
  FoldStep(Move(1, 0, 1, Assigned{On(2)}, 20), &run);
  FoldStep(Move(1, 0, 1, Succeeded{2, {}}, 50), &run);
  EXPECT_EQ(run.steps[0].started_us, 50);
  EXPECT_EQ(run.steps[0].ended_us, 50);
}

TEST(ProjectionTest, CountsStepsByWhatUsersSee) {
  const std::vector<StepState> states = AllStates();
  RunFacts run = FactsOf(ARun(1, static_cast<std::uint32_t>(states.size())), 1);
  for (std::uint32_t i = 0; i < states.size(); ++i) FoldStep(Move(1, i, 1, states[i], 10), &run);
  EXPECT_EQ(run.row.running, 4);    // an open loop is one, and a step that leaves its machine
  EXPECT_EQ(run.row.completed, 2);  // one of them by the result of another
  EXPECT_EQ(run.row.failed, 1);
  EXPECT_EQ(run.row.canceled, 2);
  FoldStep(Move(1, 3, 1, Succeeded{}, 20), &run);
  EXPECT_EQ(run.row.running, 3);
  EXPECT_EQ(run.row.completed, 3);
}

TEST(ProjectionTest, CountsAMoveThatIsAppliedTwiceOnce) {
  RunFacts run = FactsOf(ARun(1), 1);
  FoldStep(Move(1, 0, 1, Running{On(1)}, 10), &run);
  FoldStep(Move(1, 0, 1, Running{On(1)}, 10), &run);
  EXPECT_EQ(run.row.running, 1);
}

TEST(ProjectionTest, EndsAnAttemptWhoseMachineWasLostAndBeginsANewStory) {
  RunFacts run = FactsOf(ARun(1), 1);
  FoldStep(Move(1, 0, 1, Running{On(4)}, 30), &run);
  const std::optional<AttemptEnded> ended = FoldStep(Move(1, 0, 1, Queued{}, 40), &run);
  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->key, (AttemptKey{1, 0, 1}));
  EXPECT_EQ(ended->machine, 4U);
  EXPECT_EQ(ended->started_us, 30);
  EXPECT_EQ(ended->ended_us, 40);
  EXPECT_EQ(ended->cause, "machine_lost");
  EXPECT_EQ(run.steps[0].started_us, 0);
  EXPECT_EQ(run.steps[0].queued_us, 40);
}

TEST(ProjectionTest, SaysWhetherAnAttemptLeftForADrainOrForAnotherStep) {
  RunFacts run = FactsOf(ARun(1), 1);
  FoldStep(Move(1, 0, 1, Leaving{On(4), "drained"}, 30), &run);
  EXPECT_EQ(FoldStep(Move(1, 0, 1, Queued{}, 40), &run)->cause, "drained");
  FoldStep(Move(1, 0, 2, Leaving{On(4), "taken", StepKey{2, 0}}, 50), &run);
  EXPECT_EQ(FoldStep(Move(1, 0, 2, Queued{}, 60), &run)->cause, "preempted");
}

TEST(ProjectionTest, LeavesTheEndOfTheLastAttemptToTheStep) {
  RunFacts run = FactsOf(ARun(1), 1);
  FoldStep(Move(1, 0, 2, Running{On(4)}, 30), &run);
  const StepMoved failed = Move(1, 0, 2, Failed{4, {FailureCause::kExitCode, 3, "no"}}, 40);
  EXPECT_FALSE(FoldStep(failed, &run).has_value());
  EXPECT_EQ(run.steps[0].started_us, 30);
  EXPECT_EQ(run.steps[0].ended_us, 40);
  EXPECT_EQ(run.steps[0].attempt, 2U);
}

TEST(ProjectionTest, EndsNoAttemptOfAStepThatWasOnNoMachine) {
  RunFacts run = FactsOf(ARun(1), 1);
  EXPECT_FALSE(FoldStep(Move(1, 0, 0, Queued{}, 30), &run).has_value());
  EXPECT_FALSE(FoldStep(Move(1, 0, 0, Canceled{"no"}, 40), &run).has_value());
}

TEST(ProjectionTest, RefusesAStepThatTheRunDoesNotHave) {
  RunFacts run = FactsOf(ARun(1, 3), 1);
  std::optional<AttemptEnded> ended;
  EXPECT_FALSE(Fold(Move(1, 3, 1, Running{On(1)}, 10), 9, &run, &ended));
  EXPECT_EQ(run.row.running, 0);
}

TEST(ProjectionTest, TimesARunByItsMoves) {
  RunFacts run = FactsOf(ARun(1), 1);
  Fold(MoveRun(1, RunStatus::kRunning, 20), 2, &run);
  Fold(MoveRun(1, RunStatus::kCancelRequested, 30), 3, &run);
  EXPECT_FALSE(IsTerminal(run.row.status));
  Fold(MoveRun(1, RunStatus::kCanceled, 40), 4, &run);
  EXPECT_TRUE(IsTerminal(run.row.status));
  EXPECT_EQ(run.row.created_us, 1001);
  EXPECT_EQ(run.row.started_us, 20);
  EXPECT_EQ(run.row.ended_us, 40);
  EXPECT_EQ(run.row.revision, 4);
}

}  // namespace
}  // namespace potok::server
