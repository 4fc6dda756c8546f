// What people say of machines, cordons, drains and labels, and what the server says: quarantines.
#include "gmock/gmock.h"
#include "server/domain/placement.h"
#include "tests/server/domain/builders.h"

namespace potok::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

constexpr ReplyToken kCordonReply = 99;

absl::Status AnswerOf(const World& world) {
  for (const Answer& answer : world.Said<Answer>()) {
    if (answer.reply == kCordonReply) return answer.status;
  }
  return absl::InternalError("not answered");
}

void Cordon(World& world, const std::vector<std::string>& machines) {
  world.Turn(
      {MachinesCordoned{kCordonReply, machines, false, absl::InfiniteDuration(), "ann", "dust"}});
}

void Drain(World& world,
           const std::string& machine,
           absl::Duration deadline = absl::InfiniteDuration()) {
  world.Turn({MachinesCordoned{kCordonReply, {machine}, true, deadline, "ann", "a new disk"}});
}

void Uncordon(World& world, const std::string& machine) {
  world.Turn({MachinesUncordoned{kCordonReply, {machine}, "bob", "clean"}});
}

void Label(World& world, const std::map<std::string, std::optional<std::string>>& labels) {
  world.Turn({MachinesLabeled{kCordonReply, {"m1"}, labels, "ann", ""}});
}

// A step "a" of run "r" that runs on m1; m2 is there, smaller.
World WithStepOnM1() {
  World world;
  world.Connect(AMachine("m1"));
  world.Submit("r", APipeline({AStep("a")}));
  world.Report("m1", {Starts(world.Attempt("r", "a"))});
  world.Connect(AMachine("m2"));
  return world;
}

TEST(CordonTest, NothingNewIsPlacedThereAndWhatRunsGoesOn) {
  World world = WithStepOnM1();
  Cordon(world, {"m1", "m2"});
  EXPECT_EQ(AnswerOf(world), absl::OkStatus());
  world.Submit("s", APipeline({AStep("b")}));
  EXPECT_EQ(world.StateOf("s", "b"), "Queued");
  EXPECT_EQ(world.StateOf("r", "a"), "Running");
  EXPECT_THAT(world.Stops(), IsEmpty());
  EXPECT_EQ(ExplainWaiting(world.state, world.KeyOf("s", "b"), world.options),
            "no machine that could hold it takes new steps: 2 machines are cordoned");
  EXPECT_THAT(ExplainMachines(world.state, world.KeyOf("s", "b"), world.options),
              ElementsAre("2 machines: cordoned"));
  Drain(world, "m1");
  EXPECT_EQ(ExplainWaiting(world.state, world.KeyOf("s", "b"), world.options),
            "no machine that could hold it takes new steps: m2 is cordoned (dust), m1 is draining "
            "(a new disk)");
  Uncordon(world, "m2");
  EXPECT_EQ(AnswerOf(world), absl::OkStatus());
  EXPECT_EQ(world.StateOf("s", "b"), "Assigned");
}

TEST(CordonTest, WhatWaitsForAnotherMachineHearsOfTheCordon) {
  World world = WithStepOnM1();
  Cordon(world, {"m2"});
  world.Submit("s", APipeline({AStep("b").Cpus(world.Machine("m1").facts.capacity.cpu_millis)}));
  EXPECT_THAT(ExplainWaiting(world.state, world.KeyOf("s", "b"), world.options),
              HasSubstr("free on m1 (the nearest of 2 machines); m2 is cordoned (dust)"));
}

TEST(CordonTest, WhoSaidItWhenAndWhyIsKeptOverHelloAndRestart) {
  World world;
  world.Connect(AMachine("m1"));
  Cordon(world, {"m1"});
  const absl::Time at = world.now;
  world.now += absl::Minutes(1);
  world.Restart();
  world.Connect(AMachine("m1").Cpus(8).Boot("boot 2"));
  const server::Cordon cordon = *world.Machine("m1").facts.cordon;
  EXPECT_EQ(cordon,
            (server::Cordon{CordonState::kCordoned, absl::InfiniteFuture(), "ann", "dust", at}));
  Uncordon(world, "m1");
  EXPECT_FALSE(IsCordoned(world.Machine("m1").facts));
  EXPECT_EQ(world.Machine("m1").facts.cordon->by, "bob");
}

TEST(CordonTest, OneUnknownNameAmongManyChangesNothing) {
  World world;
  world.Connect(AMachine("m1"));
  Cordon(world, {"m1", "m7", "m8"});
  const absl::Status status = AnswerOf(world);
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("'m7', 'm8'; nothing was changed"));
  EXPECT_THAT(world.last.changes, IsEmpty());
}

TEST(CordonTest, AStepThatOnlyCordonedMachinesCouldHoldIsAccepted) {
  World world;
  world.Connect(AMachine("m1"));
  Cordon(world, {"m1"});
  EXPECT_EQ(CheckSatisfiable(world.state, *APlan({AStep("a")}), world.options), absl::OkStatus());
}

TEST(DrainTest, WithoutADeadlineStepsMayEndByThemselves) {
  World world = WithStepOnM1();
  Drain(world, "m1");
  EXPECT_EQ(AnswerOf(world), absl::OkStatus());
  for (int i = 0; i < 5; ++i) {
    world.now += absl::Hours(10);
    world.Turn({MachineHeard{1, "m1"}, MachineHeard{2, "m2"}, Tick{}});
  }
  EXPECT_EQ(world.StateOf("r", "a"), "Running");
  world.Report("m1", {Succeeds(world.Attempt("r", "a"))});
  EXPECT_EQ(world.StateOf("r", "a"), "Succeeded");
}

TEST(DrainTest, WhatIsOverdueIsStoppedAndRunsElsewhereWithoutALoss) {
  World world = WithStepOnM1();
  const AttemptKey first = world.Attempt("r", "a");
  Drain(world, "m1", absl::Seconds(10));
  EXPECT_EQ(world.StateOf("r", "a"), "Running");
  world.Wait(absl::Seconds(10));
  EXPECT_EQ(world.StateOf("r", "a"), "Leaving");
  ASSERT_THAT(world.Stops(), SizeIs(1));
  EXPECT_EQ(world.Stops()[0].key, first);
  EXPECT_EQ(world.Stops()[0].reason,
            "m1 is drained (a new disk); the step will run again on another machine");
  world.Report("m1", {Stops(first)});
  EXPECT_EQ(world.StateOf("r", "a"), "Assigned");
  EXPECT_EQ(world.In<Assigned>("r", "a").placement.machine, world.Machine("m2").facts.id);
  EXPECT_EQ(world.Attempt("r", "a").attempt, 2U);
  EXPECT_EQ(world.StepOf("r", "a").machine_lost, 0U);
  EXPECT_EQ(world.StepOf("r", "a").displaced, 1U);
  EXPECT_THAT(world.Machine("m1").holding, IsEmpty());
}

TEST(DrainTest, ADeadlineOfNothingStopsAtOnce) {
  World world = WithStepOnM1();
  Drain(world, "m1", absl::ZeroDuration());
  EXPECT_EQ(world.StateOf("r", "a"), "Leaving");
}

TEST(DrainTest, MovedStepsKeepAllTheirRetries) {
  World world;
  world.Connect(AMachine("m1"));
  Step step = AStep("a");
  step.retry.max_attempts = 2;
  world.Submit("r", APipeline({step}));
  world.Connect(AMachine("m2"));
  for (const char* from : {"m1", "m2", "m1", "m2", "m1"}) {
    Drain(world, from, absl::ZeroDuration());
    world.Report(from, {Stops(world.Attempt("r", "a"))});
    Uncordon(world, from);
  }
  EXPECT_EQ(world.StepOf("r", "a").displaced, 5U);
  world.Report("m2", {Fails(world.Attempt("r", "a"))});
  EXPECT_EQ(world.StateOf("r", "a"), "Assigned");
  const MachineId on = world.In<Assigned>("r", "a").placement.machine;
  world.Report(world.state.machines.at(on).facts.name, {Fails(world.Attempt("r", "a"))});
  EXPECT_EQ(world.StateOf("r", "a"), "Failed");
}

TEST(DrainTest, WhatEndsBeforeItHearsOfTheStopHasEnded) {
  World world = WithStepOnM1();
  Drain(world, "m1", absl::ZeroDuration());
  world.Report("m1", {Succeeds(world.Attempt("r", "a"))});
  EXPECT_EQ(world.StateOf("r", "a"), "Succeeded");
}

TEST(DrainTest, ACancelOfALeavingStepCancelsIt) {
  World world = WithStepOnM1();
  const AttemptKey a = world.Attempt("r", "a");
  Drain(world, "m1", absl::ZeroDuration());
  world.Cancel("r");
  world.Report("m1", {Stops(a)});
  EXPECT_EQ(world.StateOf("r", "a"), "Canceled");
}

TEST(DrainTest, AMachineThatDiesWhileItIsDrainedCountsAsDrained) {
  World world = WithStepOnM1();
  Drain(world, "m1", absl::ZeroDuration());
  world.Turn({MachineDeclaredDead{kCordonReply, "m1"}});
  EXPECT_EQ(world.Attempt("r", "a").attempt, 2U);
  EXPECT_EQ(world.StepOf("r", "a").machine_lost, 0U);
  EXPECT_EQ(world.StepOf("r", "a").displaced, 1U);
}

TEST(DrainTest, TheStopIsSaidAgainToAnAgentThatMissedIt) {
  World world = WithStepOnM1();
  const AttemptKey a = world.Attempt("r", "a");
  world.Disconnect("m1");
  Drain(world, "m1", absl::ZeroDuration());
  EXPECT_THAT(world.Stops(), IsEmpty());
  world.Connect(AMachine("m1"), {a});
  ASSERT_THAT(world.Stops(), SizeIs(1));
  EXPECT_EQ(world.Stops()[0].key, a);
}

TEST(DrainTest, AnOrderThatNeverArrivedRunsElsewhere) {
  World world;
  world.Connect(AMachine("m1"));
  world.Submit("r", APipeline({AStep("a")}));
  world.Disconnect("m1");
  Drain(world, "m1", absl::ZeroDuration());
  EXPECT_EQ(world.StateOf("r", "a"), "Leaving");
  world.Connect(AMachine("m1"));
  EXPECT_EQ(world.StateOf("r", "a"), "Queued");
}

TEST(DrainTest, ARestartOfTheServerLosesNoDrain) {
  World world = WithStepOnM1();
  Drain(world, "m1", absl::Seconds(10));
  world.Restart();
  world.Wait(absl::Seconds(10));
  EXPECT_EQ(world.StateOf("r", "a"), "Leaving");
}

TEST(LabelTest, WhatAPersonSaysStandsOverTheAgents) {
  World world;
  world.Connect(AMachine("m1").Label("zone", "a").Label("disk", "ssd"));
  Label(world, {{"zone", "b"}, {"disk", std::nullopt}, {"rack", "7"}});
  EXPECT_EQ(AnswerOf(world), absl::OkStatus());
  world.Connect(AMachine("m1").Label("zone", "c").Label("disk", "ssd"));
  world.Restart();
  const MachineChanged& facts = world.Machine("m1").facts;
  EXPECT_THAT(facts.labels, ElementsAre(Pair("rack", "7"), Pair("zone", "b")));
  EXPECT_EQ(facts.agent_labels.at("zone"), "c");
  EXPECT_EQ(facts.label_edits.at("zone").by, "ann");
  world.Submit("r", APipeline({AStep("a").Label("zone", "b")}));
  EXPECT_EQ(CheckSatisfiable(world.state, *APlan({AStep("a").Label("disk", "ssd")}), world.options)
                .code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(LabelTest, ExpressionsSeeWhatAPersonSays) {
  World world;
  world.Connect(AMachine("m1").Label("driver", "470").Gpus(1));
  world.Submit("r",
               APipeline({AStep("a").Where("driver >= 535 && zone == b"),
                          AStep("b").Where("gpu.model == H100")}));
  EXPECT_EQ(world.StateOf("r", "a"), "Queued");
  Label(world, {{"zone", "b"}, {"driver", "550.54.14"}});
  EXPECT_EQ(world.StateOf("r", "a"), "Assigned");
  Label(world, {{"gpu.model", "H100"}});
  EXPECT_EQ(world.StateOf("r", "b"), "Assigned");
}

TEST(LabelTest, RemovingWhatOnlyAPersonSetLeavesNoTrace) {
  World world;
  world.Connect(AMachine("m1"));
  Label(world, {{"zone", "b"}});
  Label(world, {{"zone", std::nullopt}});
  EXPECT_THAT(world.Machine("m1").facts.labels, IsEmpty());
  EXPECT_THAT(world.Machine("m1").facts.label_edits, IsEmpty());
}

TEST(LabelTest, MoreThanAMachineCarriesIsRefusedAsAWhole) {
  World world;
  world.Connect(AMachine("m1"));
  std::map<std::string, std::optional<std::string>> labels;
  for (int i = 0; i < 10'000; ++i) labels["l" + std::to_string(i)] = "x";
  Label(world, labels);
  const absl::Status status = AnswerOf(world);
  EXPECT_EQ(std::string(status.message()),
            "m1: a machine carries up to 64 labels, not 10000; nothing was changed");
  EXPECT_THAT(world.last.changes, IsEmpty());
}

TEST(QuarantineTest, AMachineThatKeepsLosingStepsGetsNoneForAWhile) {
  World world;
  world.Connect(AMachine("m1"));
  world.Submit("r", APipeline({AStep("a")}));
  for (int boot = 2; boot <= 4; ++boot) {
    world.now += absl::Minutes(1);
    world.Connect(AMachine("m1").Boot("boot " + std::to_string(boot)));
  }
  EXPECT_EQ(world.StateOf("r", "a"), "Queued");
  EXPECT_EQ(ExplainWaiting(world.state, world.KeyOf("r", "a"), world.options),
            "the only machine that could hold it takes no new steps: m1 is quarantined (steps were "
            "lost on it 3 times within 5m)");
  world.now += world.options.quarantine;
  world.Turn({MachineHeard{4, "m1"}, Tick{}});
  EXPECT_EQ(world.StateOf("r", "a"), "Assigned");
}

TEST(QuarantineTest, APersonEndsIt) {
  World world;
  world.Connect(AMachine("m1"));
  world.Submit("r", APipeline({AStep("a")}));
  for (int boot = 2; boot <= 4; ++boot) {
    world.now += absl::Minutes(1);
    world.Connect(AMachine("m1").Boot("boot " + std::to_string(boot)));
  }
  Uncordon(world, "m1");
  EXPECT_EQ(world.Machine("m1").facts.quarantine, std::nullopt);
  EXPECT_EQ(world.StateOf("r", "a"), "Assigned");
}

TEST(QuarantineTest, ManyStepsLostAtOnceAreOneLoss) {
  World world;
  world.Connect(AMachine("m1").Cpus(8));
  world.Submit("r", APipeline({AStep("a"), AStep("b"), AStep("c"), AStep("d")}));
  world.Connect(AMachine("m1").Cpus(8).Boot("boot 2"));
  EXPECT_EQ(world.Machine("m1").facts.quarantine, std::nullopt);
  EXPECT_EQ(world.StateOf("r", "d"), "Assigned");
}

TEST(QuarantineTest, AnAgentThatFlapsGetsNothing) {
  World world;
  for (std::uint32_t i = 0; i < world.options.sessions_max; ++i) world.Connect(AMachine("m1"));
  EXPECT_EQ(world.Machine("m1").facts.quarantine, std::nullopt);
  world.Connect(AMachine("m1"));
  ASSERT_TRUE(world.Machine("m1").facts.quarantine.has_value());
  EXPECT_EQ(world.Machine("m1").facts.quarantine->reason,
            "its agent connected 21 times within 10m");
  world.Submit("r", APipeline({AStep("a")}));
  EXPECT_EQ(world.StateOf("r", "a"), "Queued");
}

TEST(QuarantineTest, AnAgentThatConnectsNowAndThenIsLeftAlone) {
  World world;
  for (int i = 0; i < 60; ++i) {
    world.now += absl::Minutes(1);
    world.Connect(AMachine("m1"));
  }
  EXPECT_EQ(world.Machine("m1").facts.quarantine, std::nullopt);
}

}  // namespace
}  // namespace potok::server
