// Who takes whose results, and who runs.
#include "gmock/gmock.h"
#include "server/domain/decide.h"
#include "server/domain/fingerprint.h"
#include "server/domain/order.h"
#include "tests/server/domain/builders.h"

namespace potok::server {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

AStep Work(const std::string& name, const std::string& command = "work") {
  return AStep(name).Command(command).Output("out").Reusable();
}

World WithMachine() {
  World world;
  world.Connect(AMachine("m1").Cpus(8));
  return world;
}

void Finish(World& world, const std::string& run, const std::string& step) {
  const AttemptKey key = world.Attempt(run, step);
  world.Report("m1", {Starts(key), Exits(key), Succeeds(key, {Files("out")})});
}

// The offer of the latest turn.
std::optional<Offer> Offered(const World& world) {
  for (const Change& change : world.last.changes) {
    const auto* moved = std::get_if<StepMoved>(&change);
    if (moved != nullptr && moved->offer.has_value()) return moved->offer;
  }
  return std::nullopt;
}

Result AResult(const AttemptKey& by) {
  return {by, {Files("out")}, absl::UnixEpoch(), 7};
}

TEST(ReuseTest, AStepOffersWhatItMadeUnderItsFingerprint) {
  World world = WithMachine();
  world.Submit("r", APipeline({Work("a")}));
  Finish(world, "r", "a");
  const std::optional<Offer> offer = Offered(world);
  ASSERT_TRUE(offer.has_value());
  EXPECT_EQ(offer->fingerprint, FingerprintOf(Work("other name"), {}));
  EXPECT_TRUE(world.state.reuse.offered.contains(PrefixOf(offer->fingerprint)));
  EXPECT_THAT(world.state.reuse.running, IsEmpty());
}

TEST(ReuseTest, AnEqualStepAsksForTheResultAndTakesIt) {
  World world = WithMachine();
  world.Submit("r", APipeline({Work("a")}));
  const AttemptKey maker = world.Attempt("r", "a");
  Finish(world, "r", "a");
  world.Submit("s", APipeline({Work("a"), Work("b", "more").Data("x", OutputOf("a", "out"))}));
  EXPECT_EQ(world.StateOf("s", "a"), "Resolving");
  EXPECT_THAT(world.Starts(), IsEmpty());
  const auto questions = world.Said<FindResult>();
  ASSERT_THAT(questions, SizeIs(1));
  EXPECT_EQ(questions[0].fingerprint, FingerprintOf(Work("a"), {}));
  EXPECT_EQ(questions[0].max_age, absl::InfiniteDuration());

  world.Turn({ResultLookedUp{questions[0].step, AResult(maker), ResultLack::kNone}});
  EXPECT_EQ(world.In<Succeeded>("s", "a").reused, (Reused{maker, 7}));
  EXPECT_THAT(Offered(world), testing::Eq(std::nullopt));
  EXPECT_EQ(world.StateOf("s", "b"), "Assigned");
}

TEST(ReuseTest, AStepWhoseResultIsGoneRunsAndSaysWhy) {
  World world = WithMachine();
  world.Submit("r", APipeline({Work("a")}));
  Finish(world, "r", "a");
  world.Submit("s", APipeline({Work("a")}));
  const StepKey step = world.Said<FindResult>().at(0).step;
  world.Turn({ResultLookedUp{step, std::nullopt, ResultLack::kBytesGone}});
  EXPECT_EQ(world.StateOf("s", "a"), "Assigned");
  EXPECT_EQ(world.StepOf("s", "a").lack, ResultLack::kBytesGone);
  // A second answer to a question that was answered changes nothing.
  world.Turn({ResultLookedUp{step, AResult({1, 0, 1}), ResultLack::kNone}});
  EXPECT_EQ(world.StateOf("s", "a"), "Assigned");
}

TEST(ReuseTest, OfTwoEqualStepsOneRunsAndBothHaveTheResult) {
  World world = WithMachine();
  world.Submit("r", APipeline({Work("a")}));
  world.Submit("s", APipeline({Work("b")}));
  EXPECT_EQ(world.StateOf("s", "b"), "Resolving");
  const AttemptKey maker = world.Attempt("r", "a");
  Finish(world, "r", "a");
  EXPECT_EQ(world.In<Succeeded>("s", "b").outputs, std::vector{Files("out")});
  EXPECT_EQ(world.In<Succeeded>("s", "b").reused->from, maker);
  EXPECT_EQ(world.LastMove("s").status, RunStatus::kCompleted);
  EXPECT_THAT(world.state.reuse.waiting_for, IsEmpty());
}

TEST(ReuseTest, WhereTheOneThatRunsFailsOneOfThoseThatWaitedRuns) {
  World world = WithMachine();
  world.Submit("r", APipeline({Work("a")}));
  world.Submit("s", APipeline({Work("a")}));
  world.Submit("t", APipeline({Work("a")}));
  const AttemptKey first = world.Attempt("r", "a");
  world.Report("m1", {Starts(first), Fails(first)});
  EXPECT_EQ(world.StateOf("r", "a"), "Failed");
  EXPECT_EQ(world.StateOf("s", "a"), "Assigned");
  EXPECT_EQ(world.StateOf("t", "a"), "Resolving");
  Finish(world, "s", "a");
  EXPECT_EQ(world.StateOf("t", "a"), "Succeeded");
  EXPECT_EQ(world.LastMove("t").status, RunStatus::kCompleted);
}

TEST(ReuseTest, OneThatWaitsIsCanceledAtOnceAndTheOtherGoesOn) {
  World world = WithMachine();
  world.Submit("r", APipeline({Work("a")}));
  world.Submit("s", APipeline({Work("a")}));
  world.Cancel("s");
  EXPECT_EQ(world.LastMove("s").status, RunStatus::kCanceled);
  Finish(world, "r", "a");
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kCompleted);
}

TEST(ReuseTest, WhereTheOneThatRunsIsCanceledAnotherRuns) {
  World world = WithMachine();
  world.Submit("r", APipeline({Work("a")}));
  world.Submit("s", APipeline({Work("a")}));
  const AttemptKey first = world.Attempt("r", "a");
  world.Cancel("r");
  world.Report("m1", {Stops(first)});
  EXPECT_EQ(world.StateOf("s", "a"), "Assigned");
}

TEST(ReuseTest, StepsThatAreNotDeterministicOrToldNotToNeverShare) {
  Step plain = Work("a");
  plain.deterministic = false;
  Step told = Work("a");
  told.reuse.enabled = false;
  for (const Step& step : {plain, told}) {
    World world = WithMachine();
    world.Submit("r", APipeline({step}));
    world.Submit("s", APipeline({step}));
    EXPECT_EQ(world.StateOf("s", "a"), "Assigned");
    Finish(world, "r", "a");
    EXPECT_THAT(Offered(world), testing::Eq(std::nullopt));
  }
}

TEST(ReuseTest, AForcedRunReadsNothingAndOffersWhatItMade) {
  PipelineSpec forced = APipeline({Work("a")});
  forced.settings.force_rerun = true;
  World world = WithMachine();
  world.Submit("r", APipeline({Work("a")}));
  Finish(world, "r", "a");
  world.Submit("s", forced);
  EXPECT_EQ(world.StateOf("s", "a"), "Assigned");
  Finish(world, "s", "a");
  EXPECT_TRUE(Offered(world).has_value());

  world.options.forced_results_offered = false;
  world.Submit("t", forced);
  Finish(world, "t", "a");
  EXPECT_FALSE(Offered(world).has_value());
}

TEST(ReuseTest, AStepThatWasToldToRunAgainRuns) {
  Step again = Work("a");
  again.reuse.read = false;
  World world = WithMachine();
  world.Submit("r", APipeline({Work("a")}));
  world.Submit("s", APipeline({again}));
  EXPECT_EQ(world.StateOf("s", "a"), "Assigned");
}

TEST(ReuseTest, AWholeRunIsReusedInOneTurnWithWhatItsSubmissionBrings) {
  World world = WithMachine();
  const PipelineSpec spec =
      APipeline({Work("a"), Work("b", "more").Data("x", OutputOf("a", "out"))});
  world.Submit("r", spec);
  const AttemptKey a = world.Attempt("r", "a");
  Finish(world, "r", "a");
  const Fingerprint of_a = FingerprintOf(Work("a"), {});
  const AttemptKey b = world.Attempt("r", "b");
  Finish(world, "r", "b");
  const Fingerprint of_b = Offered(world)->fingerprint;

  auto found = std::make_shared<FoundResults>();
  (*found)[0] = {of_a, AResult(a)};
  (*found)[1] = {of_b, AResult(b)};
  auto plan = BuildPlan(spec);
  ASSERT_TRUE(plan.ok());
  RunSubmitted submitted{9, "s", "q", {}, *plan, "someone", found};
  world.Turn({submitted});
  EXPECT_EQ(world.LastMove("s").status, RunStatus::kCompleted);
  EXPECT_EQ(world.In<Succeeded>("s", "b").reused->from, b);
  EXPECT_THAT(world.Said<FindResult>(), IsEmpty());

  // What was found for other inputs is not taken.
  (*found)[1].fingerprint[0] ^= 1;
  submitted.name = "t";
  world.Turn({submitted});
  EXPECT_EQ(world.StateOf("t", "a"), "Succeeded");
  EXPECT_EQ(world.StateOf("t", "b"), "Resolving");
}

TEST(ReuseTest, AStepThatWritesADestinationAsksFirst) {
  Step exports = Work("a");
  exports.outputs[0].path = "azureml://datastores/x/paths/y";
  World world = WithMachine();
  world.Submit("r", APipeline({Work("a")}));
  world.Submit("s", APipeline({exports}));
  EXPECT_EQ(world.StateOf("s", "a"), "Resolving");
  Finish(world, "r", "a");
  // Not Succeeded: the destination is written by who answers.
  EXPECT_EQ(world.StateOf("s", "a"), "Resolving");
  EXPECT_THAT(world.Said<FindResult>(), SizeIs(1));
}

TEST(ReuseTest, WhatRanAgainAndMadeTheSameBytesCostsNothingDownstream) {
  World world = WithMachine();
  const auto chain = [](const std::string& command) {
    return APipeline({Work("a", command), Work("b", "more").Data("x", OutputOf("a", "out"))});
  };
  world.Submit("r", chain("work"));
  Finish(world, "r", "a");
  Finish(world, "r", "b");
  world.Submit("s", chain("work  # a comment"));
  EXPECT_EQ(world.StateOf("s", "a"), "Assigned");
  Finish(world, "s", "a");
  EXPECT_EQ(world.StateOf("s", "b"), "Resolving");
  EXPECT_THAT(world.Said<FindResult>(), SizeIs(1));
}

TEST(ReuseTest, AFingerprintIsKeptFromWhenInputsAreKnownToTheEnd) {
  World world = WithMachine();
  world.Submit("r", APipeline({Work("a"), Step(AStep("b").Reusable().After("a")), AStep("c")}));
  EXPECT_THAT(world.state.reuse.fingerprints, SizeIs(1));
  world.Restart();
  world.Connect(AMachine("m1"), {world.Attempt("r", "a"), world.Attempt("r", "c")});
  EXPECT_THAT(world.state.reuse.fingerprints, SizeIs(1));
  Finish(world, "r", "a");
  EXPECT_EQ(world.state.reuse.fingerprints.begin()->first, world.KeyOf("r", "b"));
  world.Cancel("r");
  EXPECT_THAT(world.state.reuse.running, SizeIs(1));  // it is being stopped
  world.Report("m1", {Stops(world.Attempt("r", "b"))});
  EXPECT_THAT(world.state.reuse.fingerprints, IsEmpty());
  EXPECT_THAT(world.state.reuse.running, IsEmpty());
}

TEST(ReuseTest, AfterAStartWhoWaitedWaitsAndWhoAskedAsksAgain) {
  World world = WithMachine();
  world.Submit("r", APipeline({Work("a")}));
  Finish(world, "r", "a");
  world.Submit("s", APipeline({Work("a")}));          // asks
  world.Submit("t", APipeline({Work("b", "slow")}));  // runs
  world.Submit("u", APipeline({Work("b", "slow")}));  // waits
  State fresh;
  for (const Change& change : world.journal) Apply(fresh, change);
  Decision decision = DecideStart(fresh, {2, "next", world.now}, world.options);
  EXPECT_THAT(CheckInvariants(fresh), IsEmpty());
  const auto asks = std::ranges::count_if(decision.effects, [](const Effect& effect) {
    return std::holds_alternative<FindResult>(effect);
  });
  EXPECT_EQ(asks, 1);
  ASSERT_THAT(fresh.reuse.waiting_for, SizeIs(1));
  EXPECT_EQ(fresh.reuse.waiting_for.begin()->second.size(), 1U);
}

}  // namespace
}  // namespace potok::server
