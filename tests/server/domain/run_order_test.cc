// Runs that people hold, move, and let start after others.
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/domain/placement.h"
#include "tests/server/domain/builders.h"

namespace potok::server {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr ReplyToken kReply = 77;

absl::Status AnswerTo(const World& world, ReplyToken reply) {
  for (const Answer& answer : world.Said<Answer>()) {
    if (answer.reply == reply) return answer.status;
  }
  return absl::InternalError("nobody answered");
}

absl::Status Hold(World& world, const std::string& run) {
  world.Turn({HoldRequested{kReply, run, "ada", "the disk is full"}});
  return AnswerTo(world, kReply);
}

absl::Status Release(World& world, const std::string& run) {
  world.Turn({ReleaseRequested{kReply, run}});
  return AnswerTo(world, kReply);
}

absl::Status Move(World& world,
                  const std::string& run,
                  std::optional<std::int32_t> priority,
                  std::optional<std::string> pool = std::nullopt) {
  world.Turn({MoveRequested{kReply, run, priority, std::move(pool)}});
  return AnswerTo(world, kReply);
}

RunSubmitted::Predecessor After(const World& world, const std::string& run) {
  return {{world.IdOf(run), run, false}, std::nullopt};
}

RunSubmitted::Predecessor AfterOk(const World& world, const std::string& run) {
  return {{world.IdOf(run), run, true}, std::nullopt};
}

void Finish(World& world, const std::string& run) {
  world.Report("m", {Starts(world.Attempt(run, "a")), Succeeds(world.Attempt(run, "a"))});
}

void Break(World& world, const std::string& run) {
  world.Report("m", {Starts(world.Attempt(run, "a")), Fails(world.Attempt(run, "a"))});
}

std::string WaitingOf(const World& world, const std::string& run, const std::string& step) {
  return ExplainWaiting(world.state, world.KeyOf(run, step), world.options);
}

TEST(HoldTest, AHeldRunStartsNothingNewAndWhatRunsGoesOn) {
  World world;
  world.Connect(AMachine("m").Cpus(1));
  world.Submit("r", APipeline({AStep("a"), AStep("b")}));
  ASSERT_TRUE(Hold(world, "r").ok());
  EXPECT_EQ(world.StateOf("r", "a"), "Assigned");
  Finish(world, "r");
  EXPECT_EQ(world.StateOf("r", "a"), "Succeeded");
  EXPECT_EQ(world.StateOf("r", "b"), "Queued");
  EXPECT_THAT(WaitingOf(world, "r", "b"), HasSubstr("held by ada since 2023-11-14"));
  EXPECT_THAT(WaitingOf(world, "r", "b"), HasSubstr(": the disk is full"));
  ASSERT_TRUE(Release(world, "r").ok());
  EXPECT_EQ(world.StateOf("r", "b"), "Assigned");
}

TEST(HoldTest, AnotherRunGoesOnInItsPlace) {
  World world;
  world.Submit("held", APipeline({AStep("a")}));
  world.Submit("other", APipeline({AStep("a")}));
  ASSERT_TRUE(Hold(world, "held").ok());
  world.Connect(AMachine("m").Cpus(1));
  EXPECT_EQ(world.StateOf("held", "a"), "Queued");
  EXPECT_EQ(world.StateOf("other", "a"), "Assigned");
}

TEST(HoldTest, OutlivesTheServer) {
  World world;
  world.Submit("r", APipeline({AStep("a")}));
  ASSERT_TRUE(Hold(world, "r").ok());
  world.Restart();
  world.Connect(AMachine("m"));
  EXPECT_EQ(world.StateOf("r", "a"), "Queued");
  ASSERT_TRUE(Release(world, "r").ok());
  EXPECT_EQ(world.StateOf("r", "a"), "Assigned");
}

TEST(HoldTest, WhatBecomesReadyWhileHeldWaitsToo) {
  World world;
  world.Connect(AMachine("m").Cpus(1));
  world.Submit("r", APipeline({AStep("a"), AStep("b").After("a")}));
  ASSERT_TRUE(Hold(world, "r").ok());
  Finish(world, "r");
  EXPECT_EQ(world.StateOf("r", "b"), "Queued");
}

TEST(HoldTest, TheSameHoldTwiceIsStoredOnceAndSoIsARelease) {
  World world;
  world.Submit("r", APipeline({AStep("a")}));
  ASSERT_TRUE(Hold(world, "r").ok());
  EXPECT_THAT(world.last.changes, SizeIs(1));
  ASSERT_TRUE(Hold(world, "r").ok());
  EXPECT_THAT(world.last.changes, IsEmpty());
  ASSERT_TRUE(Release(world, "r").ok());
  ASSERT_TRUE(Release(world, "r").ok());
  EXPECT_THAT(world.last.changes, IsEmpty());
}

TEST(HoldTest, TimeUnderAHoldIsNotWaitingForAMachine) {
  World world;
  Step step = AStep("a");
  step.queue_timeout_seconds = 60;
  world.Submit("r", APipeline({step}));
  ASSERT_TRUE(Hold(world, "r").ok());
  world.Wait(absl::Minutes(10));
  EXPECT_EQ(world.StateOf("r", "a"), "Queued");
  ASSERT_TRUE(Release(world, "r").ok());
  world.Wait(absl::Seconds(59));
  EXPECT_EQ(world.StateOf("r", "a"), "Queued");
  world.Wait(absl::Seconds(2));
  EXPECT_EQ(world.StateOf("r", "a"), "Failed");
}

TEST(HoldTest, AHeldRunIsCanceledAsAnyOther) {
  World world;
  world.Submit("r", APipeline({AStep("a")}));
  ASSERT_TRUE(Hold(world, "r").ok());
  world.Cancel("r");
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kCanceled);
  EXPECT_TRUE(absl::IsNotFound(Release(world, "r")));
}

TEST(MoveTest, WhatHasNotBegunOvertakesWithAHigherPriority) {
  World world;
  world.Connect(AMachine("m").Cpus(1));
  world.Submit("first", APipeline({AStep("a"), AStep("b")}));
  world.Submit("second", APipeline({AStep("a")}));
  ASSERT_TRUE(Move(world, "second", 1).ok());
  EXPECT_EQ(world.StateOf("first", "a"), "Assigned");
  Finish(world, "first");
  EXPECT_EQ(world.StateOf("second", "a"), "Assigned");
  EXPECT_EQ(world.StateOf("first", "b"), "Queued");
}

TEST(MoveTest, CountsForStepsThatAreNotThereYetAndAfterARestart) {
  World world;
  world.Submit("r", APipeline({AStep("a"), AStep("b").After("a")}));
  world.Submit("other", APipeline({AStep("a").Priority(3)}));
  ASSERT_TRUE(Move(world, "r", 5).ok());
  world.Restart();
  world.Connect(AMachine("m").Cpus(1));
  Finish(world, "r");
  EXPECT_EQ(world.StateOf("r", "b"), "Assigned");
  EXPECT_EQ(world.StateOf("other", "a"), "Queued");
}

TEST(MoveTest, AnotherPoolIsWhereItIsPlaced) {
  World world;
  world.Connect(AMachine("slow").Cpus(1));
  world.Connect(AMachine("fast").Pool("fast").Cpus(1));
  world.Submit("busy", APipeline({AStep("a")}));
  world.Submit("r", APipeline({AStep("a")}));
  EXPECT_EQ(world.StateOf("r", "a"), "Queued");
  ASSERT_TRUE(Move(world, "r", std::nullopt, "fast").ok());
  EXPECT_EQ(world.In<Assigned>("r", "a").placement.machine, world.Machine("fast").facts.id);
}

TEST(MoveTest, IsRefusedToAPoolWhereAStepCouldNeverRunAndChangesNothing) {
  World world;
  world.Connect(AMachine("m").Memory(8 * kGiB));
  world.Connect(AMachine("small").Pool("small").Memory(kGiB));
  world.Submit("busy", APipeline({AStep("a").Memory(8 * kGiB)}));
  world.Submit("r", APipeline({AStep("a").Memory(2 * kGiB)}));
  const absl::Status refused = Move(world, "r", 9, "small");
  EXPECT_TRUE(absl::IsFailedPrecondition(refused));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("jobs.a: needs 2 GiB memory"));
  EXPECT_THAT(world.last.changes, IsEmpty());
}

TEST(MoveTest, OfAnUnknownRunIsNotFound) {
  World world;
  EXPECT_TRUE(absl::IsNotFound(Move(world, "r", 1)));
  EXPECT_TRUE(absl::IsNotFound(Hold(world, "r")));
  EXPECT_TRUE(absl::IsNotFound(Release(world, "r")));
}

TEST(AfterTest, StartsWhenTheOtherHasEndedWhateverCameOfIt) {
  World world;
  world.Connect(AMachine("m").Cpus(4));
  world.Submit("first", APipeline({AStep("a")}));
  world.SubmitAfter("second", APipeline({AStep("a")}), {After(world, "first")});
  EXPECT_EQ(world.StateOf("second", "a"), "Blocked");
  EXPECT_EQ(WaitingOf(world, "second", "a"), "the run 'first' to end, after which its run starts");
  Break(world, "first");
  EXPECT_EQ(world.LastMove("first").status, RunStatus::kFailed);
  EXPECT_EQ(world.StateOf("second", "a"), "Assigned");
}

TEST(AfterTest, WaitsForTheLastOfSeveralAndOutlivesTheServer) {
  World world;
  world.Connect(AMachine("m").Cpus(4));
  world.Submit("one", APipeline({AStep("a")}));
  world.Submit("two", APipeline({AStep("a")}));
  world.SubmitAfter("third", APipeline({AStep("a")}), {After(world, "one"), AfterOk(world, "two")});
  Finish(world, "one");
  EXPECT_EQ(world.StateOf("third", "a"), "Blocked");
  const std::vector<AttemptKey> live = {world.Attempt("two", "a")};
  world.Restart();
  world.Connect(AMachine("m").Cpus(4), live);
  EXPECT_EQ(world.StateOf("third", "a"), "Blocked");
  Finish(world, "two");
  EXPECT_EQ(world.StateOf("third", "a"), "Assigned");
}

TEST(AfterTest, IsCanceledWithTheReasonIfTheOtherHadToCompleteAndDidNot) {
  World world;
  world.Connect(AMachine("m").Cpus(4));
  world.Submit("first", APipeline({AStep("a")}));
  world.SubmitAfter("second", APipeline({AStep("a")}), {AfterOk(world, "first")});
  world.SubmitAfter("third", APipeline({AStep("a")}), {AfterOk(world, "second")});
  Break(world, "first");
  EXPECT_EQ(world.LastMove("second").status, RunStatus::kCanceled);
  EXPECT_EQ(world.LastMove("second").reason,
            "was to start only if the run 'first' Completed, and that is Failed");
  EXPECT_EQ(world.LastMove("third").reason,
            "was to start only if the run 'second' Completed, and that is Canceled");
  EXPECT_THAT(world.state.runs, IsEmpty());
}

struct Ended {
  RunStatus status;
  bool only_if_completed;
  bool begins;
};

TEST(AfterTest, OfRunsThatEndedLongAgoItIsKnownHow) {
  for (const Ended& row : {Ended{RunStatus::kCompleted, false, true},
                           Ended{RunStatus::kCompleted, true, true},
                           Ended{RunStatus::kFailed, false, true},
                           Ended{RunStatus::kFailed, true, false},
                           Ended{RunStatus::kCanceled, false, true},
                           Ended{RunStatus::kCanceled, true, false}}) {
    World world;
    world.Connect(AMachine("m"));
    world.Submit("now", APipeline({AStep("a")}));
    Finish(world, "now");
    world.Restart();
    world.Connect(AMachine("m"));
    world.SubmitAfter("r",
                      APipeline({AStep("a")}),
                      {{{world.IdOf("now"), "now", row.only_if_completed}, row.status}});
    EXPECT_EQ(world.StateOf("r", "a"), row.begins ? "Assigned" : "Canceled");
  }
}

// The caller looked for the run while it went on, and it ended before the submission was heard.
TEST(AfterTest, ARunThatEndedMeanwhileIsNotWaitedFor) {
  for (const bool completes : {true, false}) {
    World world;
    world.Connect(AMachine("m"));
    world.Submit("first", APipeline({AStep("a")}));
    const RunSubmitted::Predecessor after = AfterOk(world, "first");
    if (completes) {
      Finish(world, "first");
    } else {
      Break(world, "first");
    }
    world.SubmitAfter("second", APipeline({AStep("a")}), {after});
    EXPECT_EQ(world.StateOf("second", "a"), completes ? "Assigned" : "Canceled");
  }
}

TEST(AfterTest, ARunThatWaitsIsCanceledAsAnyOtherAndIsNotWaitedForThen) {
  World world;
  world.Connect(AMachine("m"));
  world.Submit("first", APipeline({AStep("a")}));
  world.SubmitAfter("second", APipeline({AStep("a")}), {After(world, "first")});
  world.Cancel("second");
  EXPECT_EQ(world.LastMove("second").status, RunStatus::kCanceled);
  Finish(world, "first");
  EXPECT_THAT(world.state.runs, IsEmpty());
}

PipelineSpec Limited(std::int32_t limit, std::vector<Step> steps) {
  PipelineSpec spec = APipeline(std::move(steps));
  spec.settings.max_running_steps = limit;
  return spec;
}

TEST(LimitTest, SoManyStepsOfARunHoldMachinesAndTheNextFollowsWhenOneEnds) {
  World world;
  world.Submit("r", Limited(2, {AStep("a"), AStep("b"), AStep("c").Priority(-3), AStep("d")}));
  world.Submit("other", APipeline({AStep("a")}));
  world.Connect(AMachine("m").Cpus(8));
  EXPECT_EQ(world.StateOf("r", "a"), "Assigned");
  EXPECT_EQ(world.StateOf("r", "b"), "Assigned");
  EXPECT_EQ(world.StateOf("r", "c"), "Queued");
  EXPECT_EQ(world.StateOf("r", "d"), "Queued");
  EXPECT_EQ(world.StateOf("other", "a"), "Assigned");
  EXPECT_THAT(WaitingOf(world, "r", "d"), HasSubstr("2 hold machines"));
  EXPECT_EQ(world.state.queued.parked(Parked::kLimit), 2U);
  Finish(world, "r");
  EXPECT_EQ(world.StateOf("r", "d"), "Assigned");
  EXPECT_EQ(world.StateOf("r", "c"), "Queued");
  world.Restart();
  EXPECT_EQ(world.StateOf("r", "c"), "Queued");
}

TEST(LimitTest, AHoldComesBeforeTheLimitAndTheLimitAfterTheHold) {
  World world;
  world.Connect(AMachine("m").Cpus(8));
  world.Submit("r", Limited(1, {AStep("a"), AStep("b")}));
  ASSERT_TRUE(Hold(world, "r").ok());
  EXPECT_EQ(world.state.queued.parked(Parked::kHeld), 1U);
  ASSERT_TRUE(Release(world, "r").ok());
  EXPECT_EQ(world.state.queued.parked(Parked::kLimit), 1U);
  EXPECT_EQ(world.StateOf("r", "b"), "Queued");
}

TEST(PlaceTest, TellsHowManyComeBeforeAStep) {
  World world;
  world.Submit("high", APipeline({AStep("a").Priority(5)}));
  world.Submit("held", APipeline({AStep("a").Priority(5)}));
  ASSERT_TRUE(Hold(world, "held").ok());
  world.Submit("old", APipeline({AStep("a"), AStep("b").Cpus(2000)}));
  world.Submit("r", APipeline({AStep("a"), AStep("b")}));
  world.Submit("young", APipeline({AStep("a")}));
  world.now += absl::Seconds(90);
  EXPECT_EQ(ExplainPlace(world.state, world.KeyOf("r", "b"), world.now),
            "priority 0, queued for 1m30s: 1 step of higher priority comes before it, and 3 of the "
            "same");
  EXPECT_EQ(ExplainPlace(world.state, world.KeyOf("high", "a"), world.now),
            "priority 5, queued for 1m30s: 0 steps of higher priority come before it, and 0 of the "
            "same");
  EXPECT_EQ(ExplainPlace(world.state, world.KeyOf("held", "a"), world.now), "");
}

TEST(PendingTest, RunsThatHaveNotBegunAreCountedByTheirSubmitter) {
  World world;
  world.options.pending_runs_max = 2;
  world.Submit("one", APipeline({AStep("a")}));
  EXPECT_TRUE(CheckPending(world.state, "someone", 1, world.options).ok());
  const absl::Status refused = CheckPending(world.state, "someone", 2, world.options);
  EXPECT_TRUE(absl::IsFailedPrecondition(refused));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("allows 2 (--pending_runs_per_user)"));
  EXPECT_TRUE(CheckPending(world.state, "another", 2, world.options).ok());
  world.Connect(AMachine("m"));
  EXPECT_TRUE(CheckPending(world.state, "someone", 2, world.options).ok());
}

}  // namespace
}  // namespace potok::server
