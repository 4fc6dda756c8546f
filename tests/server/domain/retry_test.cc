// When steps run: trigger rules, attempts after failures, waiting that is too long, and what runs
// after all others.
#include "gmock/gmock.h"
#include "server/domain/placement.h"
#include "tests/server/domain/flow_builders.h"

namespace potok::server {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

World WithMachine() {
  World world;
  world.Connect(AMachine("m1"));
  return world;
}

void Finish(World& world, const std::string& step) {
  world.Report("m1", {Succeeds(world.Attempt("r", step))});
}
void Break(World& world, const std::string& step, FailureCause cause = FailureCause::kExitCode) {
  world.Report("m1", {Fails(world.Attempt("r", step), cause)});
}

// --- retry

RetryPolicy Tries(std::int32_t max_attempts,
                  std::vector<std::string> on = {},
                  std::vector<std::int32_t> exit_codes = {}) {
  RetryPolicy retry;
  retry.max_attempts = max_attempts;
  retry.on = std::move(on);
  retry.exit_codes = std::move(exit_codes);
  return retry;
}

RetryPolicy TriesAfter(std::int32_t max_attempts, double delay_seconds, double backoff) {
  RetryPolicy retry = Tries(max_attempts);
  retry.delay_seconds = delay_seconds;
  retry.backoff = backoff;
  return retry;
}

TEST(RetryTest, AFailedAttemptIsFollowedByAnotherAndTheLastOneCounts) {
  World world = WithMachine();
  world.Submit("r", APipeline({Retried(AStep("a"), Tries(3))}));
  Break(world, "a");
  EXPECT_EQ(world.StateOf("r", "a"), "Assigned");
  EXPECT_EQ(world.Attempt("r", "a").attempt, 2U);
  Break(world, "a");
  EXPECT_EQ(world.Attempt("r", "a").attempt, 3U);
  Break(world, "a");
  EXPECT_EQ(world.StateOf("r", "a"), "Failed");
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kFailed);
}

TEST(RetryTest, WhatAnAttemptFailedOfIsStoredThoughTheNextBeginsInTheSameTurn) {
  World world = WithMachine();
  world.Submit("r", APipeline({Retried(AStep("a"), Tries(2))}));
  Break(world, "a", FailureCause::kTimeout);
  const Delayed* delayed = nullptr;
  for (const Change& change : world.last.changes) {
    const auto* moved = std::get_if<StepMoved>(&change);
    if (moved != nullptr && std::holds_alternative<Delayed>(moved->state)) {
      delayed = &std::get<Delayed>(moved->state);
    }
  }
  ASSERT_NE(delayed, nullptr);
  EXPECT_EQ(delayed->failure.cause, FailureCause::kTimeout);
  EXPECT_EQ(world.StateOf("r", "a"), "Assigned");
}

TEST(RetryTest, TheNextAttemptWaitsLongerEachTime) {
  World world = WithMachine();
  world.Submit("r", APipeline({Retried(AStep("a"), TriesAfter(3, 10, 3))}));
  Break(world, "a");
  EXPECT_EQ(world.StateOf("r", "a"), "Delayed");
  world.Wait(absl::Seconds(9));
  EXPECT_EQ(world.StateOf("r", "a"), "Delayed");
  world.Wait(absl::Seconds(1));
  EXPECT_EQ(world.StateOf("r", "a"), "Assigned");
  Break(world, "a");
  world.Wait(absl::Seconds(19));
  world.Heartbeat("m1");
  world.Wait(absl::Seconds(10));
  EXPECT_EQ(world.StateOf("r", "a"), "Delayed");
  world.Heartbeat("m1");
  world.Wait(absl::Seconds(1));
  EXPECT_EQ(world.StateOf("r", "a"), "Assigned");
}

TEST(RetryTest, OnlyTheCausesAndExitCodesThatAreNamedAreTriedAgain) {
  struct Case {
    RetryPolicy retry;
    FailureCause cause;  // with code 1
    bool again;
  };
  const std::vector<Case> cases = {
      {Tries(2), FailureCause::kOutOfMemory, true},
      {Tries(2), FailureCause::kInternal, false},
      {Tries(2, {"oom"}), FailureCause::kOutOfMemory, true},
      {Tries(2, {"oom"}), FailureCause::kExitCode, false},
      {Tries(2, {"timeout", "exit_code"}), FailureCause::kTimeout, true},
      {Tries(2, {"exit_code"}), FailureCause::kSignal, true},
      {Tries(2, {"exit_code"}, {1, 3}), FailureCause::kExitCode, true},
      {Tries(2, {}, {75}), FailureCause::kExitCode, false},
      {Tries(1), FailureCause::kExitCode, false},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    World world = WithMachine();
    world.Submit("r", APipeline({Retried(AStep("a"), cases[i].retry)}));
    Break(world, "a", cases[i].cause);
    EXPECT_EQ(world.StateOf("r", "a"), cases[i].again ? "Assigned" : "Failed") << i;
  }
}

RetryPolicy MoreMemory(std::int32_t max_attempts, double factor) {
  RetryPolicy retry = Tries(max_attempts, {"oom"});
  retry.memory_factor = factor;
  return retry;
}

constexpr std::int64_t kMiB = std::int64_t{1} << 20;

std::int64_t HeldOn(const World& world, const std::string& machine) {
  return world.Machine(machine).reserved.memory_bytes;
}

TEST(RetryTest, AfterOneThatRanOutOfMemoryTheNextAttemptAsksForMore) {
  World world;
  world.Connect(AMachine("small").Memory(kGiB));
  world.Connect(AMachine("large").Memory(8 * kGiB));
  world.Submit("r", APipeline({Retried(AStep("a").Memory(700 * kMiB), MoreMemory(4, 1.5))}));
  EXPECT_EQ(HeldOn(world, "small"), 700 * kMiB);
  world.Report("small", {Fails(world.Attempt("r", "a"), FailureCause::kOutOfMemory)});
  // Where it fits, and the order says how much that is.
  EXPECT_EQ(HeldOn(world, "small"), 0);
  EXPECT_EQ(HeldOn(world, "large"), 1050 * kMiB);
  ASSERT_THAT(world.Starts(), SizeIs(1));
  EXPECT_EQ(world.Starts().front().memory_bytes, 1050 * kMiB);
  // Once more: of what it had then.
  world.Report("large", {Fails(world.Attempt("r", "a"), FailureCause::kOutOfMemory)});
  EXPECT_EQ(HeldOn(world, "large"), 1575 * kMiB);
  world.Report("large", {Succeeds(world.Attempt("r", "a"))});
  EXPECT_EQ(world.StateOf("r", "a"), "Succeeded");
  EXPECT_EQ(HeldOn(world, "large"), 0);
}

TEST(RetryTest, MemoryIsRoundedUpToMebibytes) {
  World world;
  world.Connect(AMachine("m1").Memory(8 * kGiB));
  world.Submit("r", APipeline({Retried(AStep("a").Memory(10 * kMiB), MoreMemory(2, 1.25))}));
  Break(world, "a", FailureCause::kOutOfMemory);
  EXPECT_EQ(HeldOn(world, "m1"), 13 * kMiB);
}

TEST(RetryTest, AnotherFailureLeavesTheMemoryAsItWasRaised) {
  World world;
  world.Connect(AMachine("m1").Memory(8 * kGiB));
  RetryPolicy retry = MoreMemory(4, 2);
  retry.on = {};
  world.Submit("r", APipeline({Retried(AStep("a").Memory(kGiB), retry)}));
  Break(world, "a", FailureCause::kExitCode);
  EXPECT_EQ(HeldOn(world, "m1"), kGiB);
  Break(world, "a", FailureCause::kOutOfMemory);
  EXPECT_EQ(HeldOn(world, "m1"), 2 * kGiB);
  Break(world, "a", FailureCause::kMachineLost);
  EXPECT_EQ(HeldOn(world, "m1"), 2 * kGiB);
  Break(world, "a", FailureCause::kExitCode);
  EXPECT_EQ(HeldOn(world, "m1"), 2 * kGiB);
}

TEST(RetryTest, WhereNoMachineHasSoMuchItAsksForAllOfTheLargest) {
  World world;
  world.Connect(AMachine("small").Memory(2 * kGiB));
  world.Connect(AMachine("large").Memory(3 * kGiB));
  world.Connect(AMachine("other").Memory(64 * kGiB).Pool("gpu"));
  world.Submit("r", APipeline({Retried(AStep("a").Memory(2 * kGiB), MoreMemory(5, 4))}));
  world.Report("small", {Fails(world.Attempt("r", "a"), FailureCause::kOutOfMemory)});
  EXPECT_EQ(HeldOn(world, "large"), 3 * kGiB);
  world.Report("large", {Fails(world.Attempt("r", "a"), FailureCause::kOutOfMemory)});
  EXPECT_EQ(world.StateOf("r", "a"), "Failed");
  EXPECT_THAT(world.In<Failed>("r", "a").failure.message,
              HasSubstr("no machine that could hold the step has more than 3 GiB"));
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kFailed);
}

TEST(RetryTest, ARaisedStepWaitsForTheMachineThatCanHoldIt) {
  World world;
  world.Connect(AMachine("small").Memory(2 * kGiB));
  world.Connect(AMachine("large").Memory(4 * kGiB));
  world.Submit("full", APipeline({AStep("b").Memory(3 * kGiB)}));
  world.Submit("r", APipeline({Retried(AStep("a").Memory(2 * kGiB), MoreMemory(2, 1.5))}));
  world.Report("small", {Fails(world.Attempt("r", "a"), FailureCause::kOutOfMemory)});
  EXPECT_EQ(world.StateOf("r", "a"), "Queued");
  EXPECT_THAT(ExplainWaiting(world.state, world.KeyOf("r", "a"), world.options),
              HasSubstr("needs 3 GiB memory"));
  world.Report("large", {Succeeds(world.Attempt("full", "b"))});
  EXPECT_EQ(world.StateOf("r", "a"), "Assigned");
  EXPECT_EQ(HeldOn(world, "large"), 3 * kGiB);
}

TEST(RetryTest, AServerThatStartsHoldsWhatTheRaisedAttemptAskedFor) {
  World world;
  world.Connect(AMachine("m1").Memory(8 * kGiB));
  world.Submit("r", APipeline({Retried(AStep("a").Memory(kGiB), MoreMemory(3, 2))}));
  Break(world, "a", FailureCause::kOutOfMemory);
  world.Restart();
  EXPECT_EQ(HeldOn(world, "m1"), 2 * kGiB);
  world.Connect(AMachine("m1").Memory(8 * kGiB), {world.Attempt("r", "a")});
  Break(world, "a", FailureCause::kOutOfMemory);
  EXPECT_EQ(HeldOn(world, "m1"), 4 * kGiB);
}

TEST(RetryTest, WhatAnAttemptUsedIsStoredWithItsEnd) {
  World world = WithMachine();
  world.Submit("r", APipeline({Retried(AStep("a"), Tries(2))}));
  Usage usage;
  usage.peak_memory_bytes = 12345;
  Report failed = Fails(world.Attempt("r", "a"));
  failed.usage = usage;
  world.Report("m1", {failed});
  const auto stored = [&](const char* state) -> std::optional<Usage> {
    for (const Change& change : world.last.changes) {
      const auto* moved = std::get_if<StepMoved>(&change);
      if (moved != nullptr && NameOf(moved->state) == std::string(state)) return moved->usage;
    }
    return std::nullopt;
  };
  EXPECT_EQ(stored("Delayed"), usage);
  EXPECT_EQ(stored("Assigned"), std::nullopt);
  Report done = Succeeds(world.Attempt("r", "a"));
  done.usage = usage;
  world.Report("m1", {done});
  EXPECT_EQ(stored("Succeeded"), usage);
}

TEST(RetryTest, ALostMachineIsNoFailureOfTheStep) {
  World world = WithMachine();
  world.Submit("r", APipeline({Retried(AStep("a"), Tries(2))}));
  Break(world, "a", FailureCause::kMachineLost);
  EXPECT_EQ(world.Attempt("r", "a").attempt, 2U);
  Break(world, "a");
  EXPECT_EQ(world.Attempt("r", "a").attempt, 3U);
  Break(world, "a");
  EXPECT_EQ(world.StateOf("r", "a"), "Failed");
}

TEST(RetryTest, CancelEndsAStepThatWaitsForItsNextAttempt) {
  World world = WithMachine();
  world.Submit("r", APipeline({Retried(AStep("a"), TriesAfter(2, 60, 1))}));
  Break(world, "a");
  world.Cancel("r");
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kCanceled);
}

TEST(RetryTest, AServerThatStartsInTheDelayKeepsItsEndAndTheCountOfAttempts) {
  World world = WithMachine();
  world.Submit("r", APipeline({Retried(AStep("a"), TriesAfter(2, 60, 1))}));
  Break(world, "a");
  world.now += absl::Seconds(59);
  world.Restart();
  world.Connect(AMachine("m1"));
  EXPECT_EQ(world.StateOf("r", "a"), "Delayed");
  world.Wait(absl::Seconds(1));
  EXPECT_EQ(world.StateOf("r", "a"), "Assigned");
  Break(world, "a");
  EXPECT_EQ(world.StateOf("r", "a"), "Failed");
}

TEST(RetryTest, ADelayThatEndedWhileTheServerWasDownIsOverAtItsStart) {
  World world = WithMachine();
  world.Submit("r", APipeline({Retried(AStep("a"), TriesAfter(2, 60, 1))}));
  Break(world, "a");
  world.now += absl::Hours(1);
  world.Restart();
  EXPECT_EQ(world.StateOf("r", "a"), "Queued");
}

// --- queue_timeout

TEST(RetryTest, AStepThatWaitsTooLongForAMachineFails) {
  World world;
  Step waiting = AStep("a");
  waiting.queue_timeout_seconds = 30;
  world.Submit("r", APipeline({waiting, AStep("b")}));
  world.Wait(absl::Seconds(29));
  EXPECT_EQ(world.StateOf("r", "a"), "Queued");
  world.Wait(absl::Seconds(1));
  EXPECT_EQ(world.In<Failed>("r", "a").failure.cause, FailureCause::kQueueTimeout);
  EXPECT_EQ(world.StateOf("r", "b"), "Queued");
}

TEST(RetryTest, WaitingThatIsTooLongIsNoticedAtEveryPriority) {
  World world;
  std::vector<Step> steps = {AStep("a").Priority(3), AStep("b"), AStep("c").Priority(-3)};
  for (Step& step : steps) step.queue_timeout_seconds = 30;
  world.Submit("plain", APipeline({AStep("a").Priority(3), AStep("b"), AStep("c").Priority(-3)}));
  world.Submit("r", APipeline(steps));
  world.Wait(absl::Seconds(30));
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kFailed);
  EXPECT_EQ(world.state.queued.size(), 3U);
}

// --- when

TEST(RetryTest, TriggerRulesDecideOnceWhatTheyLookAtHasEnded) {
  struct Case {
    const char* rule;
    bool a_succeeds;
    bool b_succeeds;
    const char* state;
  };
  const std::vector<Case> cases = {
      {"all_success", true, true, "Assigned"},
      {"all_success", true, false, "Skipped"},
      {"all_done", false, false, "Assigned"},
      {"one_failed", true, false, "Assigned"},
      {"one_failed", true, true, "Skipped"},
      {"all_failed", false, false, "Assigned"},
      {"all_failed", true, false, "Skipped"},
      {"none_failed", true, true, "Assigned"},
      {"one_success", false, true, "Assigned"},
      {"one_success", false, false, "Skipped"},
      {"jobs.a.status == 'Failed'", false, true, "Assigned"},
      {"jobs.a.status == 'Failed'", true, true, "Skipped"},
  };
  for (const Case& one : cases) {
    World world = WithMachine();
    world.Submit(
        "r", APipeline({AStep("a"), AStep("b"), When(AStep("c").After("a").After("b"), one.rule)}));
    one.a_succeeds ? Finish(world, "a") : Break(world, "a");
    one.b_succeeds ? Finish(world, "b") : Break(world, "b");
    EXPECT_EQ(world.StateOf("r", "c"), one.state) << one.rule << one.a_succeeds << one.b_succeeds;
  }
}

TEST(RetryTest, AStepWhoseConditionHoldsIsSkippedIfWhatItReadsIsNotThere) {
  World world = WithMachine();
  world.Submit("r",
               APipeline({AStep("a").Output("out"),
                          When(AStep("c").Data("in", OutputOf("a", "out")), "all_done")}));
  Break(world, "a");
  EXPECT_EQ(world.In<Skipped>("r", "c").reason, "needs step 'a', which failed");
}

TEST(RetryTest, AConditionThatCannotBeReadFailsItsStep) {
  World world = WithMachine();
  world.Submit("r", APipeline({When(AStep("a"), "jobs.")}));
  EXPECT_THAT(world.In<Failed>("r", "a").failure.message, HasSubstr("`when` cannot be read"));
}

// --- on_finalize

Step Final(Step step) {
  step.finalizes = true;
  return step;
}

TEST(RetryTest, AFinalStepRunsWhenAllOthersHaveEndedWhateverCameOfThem) {
  for (const bool fails : {false, true}) {
    World world = WithMachine();
    world.Submit("r", APipeline({Final(AStep("end")), AStep("a"), AStep("b").After("a")}));
    EXPECT_EQ(world.StateOf("r", "end"), "Blocked");
    if (fails) {
      Break(world, "a");
    } else {
      Finish(world, "a");
      EXPECT_EQ(world.StateOf("r", "end"), "Blocked");
      Finish(world, "b");
    }
    EXPECT_EQ(world.StateOf("r", "end"), "Assigned");
    Finish(world, "end");
    EXPECT_EQ(world.LastMove("r").status, fails ? RunStatus::kFailed : RunStatus::kCompleted);
  }
}

TEST(RetryTest, AFinalStepRunsAfterAFailureThatStopsAllOthers) {
  World world = WithMachine();
  world.Submit("r", AFailFastPipeline({Final(AStep("end")), AStep("a"), AStep("b")}));
  Break(world, "a");
  EXPECT_EQ(world.StateOf("r", "b"), "Stopping");
  world.Report("m1", {Stops(world.Attempt("r", "b"))});
  EXPECT_EQ(world.StateOf("r", "end"), "Assigned");
}

TEST(RetryTest, AFinalStepDoesNotRunAfterACancellation) {
  World world = WithMachine();
  world.Submit("r", APipeline({Final(AStep("end")), AStep("a")}));
  world.Cancel("r");
  EXPECT_EQ(world.StateOf("r", "end"), "Canceled");
}

}  // namespace
}  // namespace potok::server
