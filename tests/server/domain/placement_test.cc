#include "server/domain/placement.h"

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "tests/server/domain/builders.h"

namespace potok::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

// Where each step of run "r" is: "a@m1", or "a" while it waits; GPUs after a colon.
std::vector<std::string> Where(const World& world) {
  std::vector<std::string> where;
  const RunRecord& run = world.state.runs.begin()->second;
  for (std::uint32_t i = 0; i < run.steps.size(); ++i) {
    std::string text = run.plan->NameOf(i);
    if (const Placement* placement = PlacementOf(run.steps[i].state())) {
      text += "@" + world.state.machines.at(placement->machine).facts.name;
      if (!placement->gpus.empty()) text += fmt::format(":{}", fmt::join(placement->gpus, ","));
    }
    where.push_back(text);
  }
  return where;
}

std::vector<std::string> Placed(const std::vector<MachineChanged>& machines,
                                std::vector<Step> steps,
                                bool unknown_pool_is_default = false) {
  World world;
  world.options.unknown_pool_is_default = unknown_pool_is_default;
  for (const MachineChanged& machine : machines) world.Connect(machine);
  world.Submit("r", APipeline(std::move(steps)));
  return Where(world);
}

TEST(PlacementTest, TwoStepsThatAskForNothingFillAMachineOfTwoCpus) {
  EXPECT_THAT(Placed({AMachine("m1").Cpus(2)}, {AStep("a"), AStep("b"), AStep("c")}),
              ElementsAre("a@m1", "b@m1", "c"));
}

TEST(PlacementTest, TheTightestMachineWinsSoThatLargeHolesRemain) {
  EXPECT_THAT(Placed({AMachine("large").Memory(64 * kGiB),
                      AMachine("small").Memory(8 * kGiB),
                      AMachine("medium").Memory(16 * kGiB)},
                     {AStep("a").Memory(6 * kGiB), AStep("b").Memory(10 * kGiB)}),
              ElementsAre("a@small", "b@medium"));
}

TEST(PlacementTest, AmongEqualMemoryTheFewestFreeCpusWinAndThenTheOldestMachine) {
  EXPECT_THAT(Placed({AMachine("eight").Cpus(8), AMachine("two").Cpus(2)}, {AStep("a")}),
              ElementsAre("a@two"));
  EXPECT_THAT(Placed({AMachine("z"), AMachine("a")}, {AStep("s")}), ElementsAre("s@z"));
}

TEST(PlacementTest, AStepWithoutRoomWaitsAndOthersGoOn) {
  EXPECT_THAT(Placed({AMachine("m1").Memory(8 * kGiB)},
                     {AStep("huge").Memory(9 * kGiB), AStep("small").Memory(kGiB)}),
              ElementsAre("huge", "small@m1"));
}

TEST(PlacementTest, EachGpuIsGivenOnce) {
  EXPECT_THAT(
      Placed({AMachine("g").Gpus(3)}, {AStep("a").Gpus(2), AStep("b").Gpus(1), AStep("c").Gpus(1)}),
      ElementsAre("a@g:0,1", "b@g:2", "c"));
}

TEST(PlacementTest, LabelsMustAllMatch) {
  EXPECT_THAT(Placed({AMachine("plain"), AMachine("ssd").Label("disk", "ssd")},
                     {AStep("a").Label("disk", "ssd"), AStep("b").Label("disk", "tape")}),
              ElementsAre("a@ssd", "b"));
}

TEST(PlacementTest, PoolsKeepToThemselves) {
  EXPECT_THAT(Placed({AMachine("gpu").Pool("gpu"), AMachine("any")},
                     {AStep("a").Pool("gpu"), AStep("b"), AStep("c").Pool("tpu")}),
              ElementsAre("a@gpu", "b@any", "c"));
}

TEST(PlacementTest, AMachineMayBeInTheDefaultPoolAndAnother) {
  EXPECT_THAT(
      Placed({AMachine("m").Pool("gpu").Pool("default")}, {AStep("a").Pool("gpu"), AStep("b")}),
      ElementsAre("a@m", "b@m"));
}

TEST(PlacementTest, APoolThatNoMachineHasMeansTheDefaultOneIfAskedFor) {
  EXPECT_THAT(Placed({AMachine("m")}, {AStep("a").Pool("cpu-cluster")}, true), ElementsAre("a@m"));
  EXPECT_THAT(Placed({AMachine("m"), AMachine("g").Pool("gpu")}, {AStep("a").Pool("gpu")}, true),
              ElementsAre("a@g"));
}

TEST(PlacementTest, WhatIsIsolatedOrHasNoNetworkGoesWhereThatCanBeHad) {
  const std::vector<Step> steps = {AStep("isolated").Isolated(),
                                   AStep("cut-off").WithoutNetwork(),
                                   AStep("image").Image("python").Isolated(),
                                   AStep("plain")};
  EXPECT_THAT(Placed({AMachine("host").Memory(8 * kGiB).Cpus(9).Runtimes({"host"}),
                      AMachine("pod").Cpus(8).Memory(9 * kGiB).Runtimes({"host", "container"}),
                      AMachine("box").Cpus(8).Memory(10 * kGiB).Runtimes({"host", "sandbox"})},
                     steps),
              UnorderedElementsAre("isolated@box", "cut-off@box", "image@pod", "plain@host"));
}

TEST(PlacementTest, WhatNoMachineCanIsolateIsRefusedWithTheReason) {
  World world;
  world.Connect(AMachine("old"));  // an agent that says nothing of runtimes
  world.Connect(AMachine("new").Runtimes({"host"}));
  const absl::Status refused =
      CheckSatisfiable(world.state, *APlan({AStep("a").Isolated(), AStep("b")}), world.options);
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(std::string(refused.message()),
            "jobs.a: asks for isolation or no network, and none of 2 machines can run commands "
            "so (sandbox); install bubblewrap there and start the agent again, or see `potok "
            "machine show`");
  const absl::Status no_engine = CheckSatisfiable(
      world.state, *APlan({AStep("a").Image("python").InContainer()}), world.options);
  EXPECT_THAT(no_engine.ToString(),
              HasSubstr("asks for a container, and none of 2 machines can run commands so "
                        "(container); start an agent there with --images=container"));
  world.Connect(AMachine("box").Runtimes({"host", "sandbox"}));
  EXPECT_TRUE(CheckSatisfiable(world.state, *APlan({AStep("a").Isolated()}), world.options).ok());
}

TEST(PlacementTest, OldRunsComeBeforeYoungOnes) {
  World world;
  world.Submit("old", APipeline({AStep("a"), AStep("b")}));
  world.Submit("young", APipeline({AStep("a")}));
  world.Connect(AMachine("m").Cpus(2));
  EXPECT_EQ(world.StateOf("old", "b"), "Assigned");
  EXPECT_EQ(world.StateOf("young", "a"), "Queued");
}

TEST(PlacementTest, WhatHasAHigherPriorityComesFirstThenTheOlderRunThenThePosition) {
  World world;
  world.Submit("old", APipeline({AStep("a"), AStep("b").Priority(-1), AStep("c").Priority(7)}));
  world.Submit("young", APipeline({AStep("a").Priority(7), AStep("b").Priority(1000)}));
  std::vector<std::string> order;
  for (const QueuePlace& place : world.state.queued.All()) {
    const RunRecord& run = world.state.runs.at(place.step.run);
    order.push_back(run.name + "." + run.plan->NameOf(place.step.index));
  }
  EXPECT_THAT(order, ElementsAre("young.b", "old.c", "young.a", "old.a", "old.b"));
  world.Connect(AMachine("m").Cpus(2));
  EXPECT_EQ(world.StateOf("young", "b"), "Assigned");
  EXPECT_EQ(world.StateOf("old", "c"), "Assigned");
  EXPECT_EQ(world.StateOf("young", "a"), "Queued");
}

void EndFirstOf(World& world, const std::string& run) {
  world.Report("m", {Starts(world.Attempt(run, "a")), Succeeds(world.Attempt(run, "a"))});
}

TEST(PlacementTest, AMinuteOfWaitingCountsForOnePointOfPriority) {
  World world;
  world.Connect(AMachine("m").Cpus(1));
  world.Submit("busy", APipeline({AStep("a")}));
  world.Submit("low", APipeline({AStep("a")}));
  world.now += absl::Minutes(10);
  world.Submit("equal", APipeline({AStep("a").Priority(10)}));
  world.now += absl::Seconds(1);
  world.Submit("late", APipeline({AStep("a").Priority(10)}));
  EndFirstOf(world, "busy");
  EXPECT_EQ(world.StateOf("equal", "a"), "Assigned");
  EXPECT_EQ(world.StateOf("low", "a"), "Queued");
  EndFirstOf(world, "equal");
  EXPECT_EQ(world.StateOf("low", "a"), "Assigned");
  EXPECT_EQ(world.StateOf("late", "a"), "Queued");
}

// Twice as much of priority 5 comes as the machine can do.
TEST(PlacementTest, AStepOfLowPriorityIsNotStarvedByAStreamOfHigherOnes) {
  World world;
  world.Connect(AMachine("m").Cpus(1));
  world.Submit("busy", APipeline({AStep("a")}));
  world.Submit("low", APipeline({AStep("a")}));
  std::string running = "busy";
  std::vector<std::string> others;
  int minutes = 0;
  for (; world.StateOf("low", "a") == "Queued" && minutes < 100; ++minutes) {
    for (const char* half : {"a", "b"}) {
      others.push_back(fmt::format("r{}{}", minutes, half));
      world.Submit(others.back(), APipeline({AStep("a").Priority(5)}));
    }
    world.now += absl::Minutes(1);
    EndFirstOf(world, running);
    for (const std::string& other : others) {
      if (world.StateOf(other, "a") == "Assigned") running = other;
    }
  }
  // Twelve came in the first five minutes, with both ends: these are before it, and no others.
  EXPECT_EQ(minutes, 13);
}

TEST(PlacementTest, AStepThatRanksFirstByItsAgeAndDoesNotFitIsWaitedFor) {
  World world;
  world.Connect(AMachine("m").Cpus(2));
  world.Submit("busy", APipeline({AStep("a"), AStep("b")}));
  world.Submit("large", APipeline({AStep("a").Cpus(2000)}));
  world.now += absl::Minutes(11);
  world.Submit("small", APipeline({AStep("a").Priority(10)}));
  EndFirstOf(world, "busy");
  EXPECT_EQ(world.StateOf("small", "a"), "Queued");
}

TEST(PlacementTest, WhatIsSubmittedLaterWithAHigherPriorityIsPlacedNext) {
  World world;
  world.Connect(AMachine("m").Cpus(1));
  world.Submit("old", APipeline({AStep("a"), AStep("b")}));
  world.Submit("young", APipeline({AStep("a").Priority(1)}));
  EXPECT_EQ(world.StateOf("old", "a"), "Assigned");  // what runs is not stopped for it
  world.Report("m", {Succeeds(world.Attempt("old", "a"))});
  EXPECT_EQ(world.StateOf("young", "a"), "Assigned");
  EXPECT_EQ(world.StateOf("old", "b"), "Queued");
}

TEST(PlacementTest, AStepThatCouldNeverRunKeepsNothingFromThoseOfLowerPriority) {
  EXPECT_THAT(
      Placed({AMachine("g").Gpus(1)}, {AStep("a").Gpus(1).Priority(-5), AStep("b").Gpus(2)}),
      ElementsAre("a@g:0", "b"));
}

TEST(PlacementTest, OfThoseThatFitNowhereTheOneOfTheHighestPriorityIsWaitedFor) {
  World world;
  world.Connect(AMachine("m").Cpus(4));
  world.Submit("r",
               APipeline({AStep("first").Cpus(2000).Priority(9),
                          AStep("whole").Cpus(4000),
                          AStep("most").Cpus(3000).Priority(1),
                          AStep("small").Cpus(500).Priority(1),
                          AStep("urgent").Cpus(500).Priority(2)}));
  EXPECT_THAT(Where(world), ElementsAre("first@m", "whole", "most", "small", "urgent@m"));
  world.Report("m", {Succeeds(world.Attempt("r", "first"))});
  EXPECT_THAT(Where(world), ElementsAre("first", "whole", "most@m", "small@m", "urgent@m"));
}

TEST(PlacementTest, SmallStepsCannotStarveALargeOne) {
  World world;
  world.Connect(AMachine("m").Cpus(4));
  world.Submit("r", APipeline({AStep("first").Cpus(2000), AStep("large").Cpus(4000), AStep("s1")}));
  // Two CPUs are free, and kept for the large step.
  EXPECT_THAT(Where(world), ElementsAre("first@m", "large", "s1"));
  world.Report("m", {Succeeds(world.Attempt("r", "first"))});
  EXPECT_EQ(world.StateOf("r", "large"), "Assigned");
  EXPECT_EQ(world.StateOf("r", "s1"), "Queued");
}

TEST(PlacementTest, AReservationTakesOnlyWhatTheLargeStepNeeds) {
  EXPECT_THAT(Placed({AMachine("m").Cpus(4).Gpus(1)},
                     {AStep("a").Gpus(1), AStep("b").Gpus(1).Cpus(1000), AStep("c"), AStep("d")}),
              ElementsAre("a@m:0", "b", "c@m", "d@m"));
}

TEST(PlacementTest, AReservationLeavesOtherMachinesAlone) {
  EXPECT_THAT(Placed({AMachine("big").Cpus(4), AMachine("small").Cpus(1).Memory(20 * kGiB)},
                     {AStep("a").Cpus(2000), AStep("large").Cpus(4000), AStep("s")}),
              ElementsAre("a@big", "large", "s@small"));
}

TEST(PlacementTest, EqualStatesGiveEqualPlacements) {
  World world;
  world.Submit("r", APipeline({AStep("a"), AStep("b").Memory(kGiB), AStep("c").Gpus(1)}));
  for (int i = 0; i < 5; ++i) world.Connect(AMachine(fmt::format("m{}", i)).Cpus(1).Pool("x"));
  State twin;
  for (const Change& change : world.journal) Apply(twin, change);
  for (auto& [id, machine] : twin.machines) machine.session = 1;
  const auto mine = Place(world.state, world.options, world.now);
  const auto twins = Place(twin, world.options, world.now);
  ASSERT_EQ(mine.size(), twins.size());
  for (std::size_t i = 0; i < mine.size(); ++i) EXPECT_EQ(mine[i].placement, twins[i].placement);
}

std::string Reason(World& world, const std::string& step) {
  const AttemptKey key = world.Attempt("r", step);
  return ExplainWaiting(world.state, key.step(), world.options);
}

TEST(PlacementTest, AWaitingStepNamesWhatLacksWhere) {
  World world;
  for (int i = 1; i <= 4; ++i) {
    world.Connect(AMachine(fmt::format("gpu-{}", i)).Gpus(i == 3 ? 3 : 2));
  }
  std::vector<Step> steps;
  for (int i = 0; i < 4; ++i) steps.push_back(AStep(fmt::format("s{}", i)).Gpus(2));
  steps.push_back(AStep("late").Gpus(2));
  steps.push_back(AStep("next").After("late"));
  world.Submit("r", APipeline(steps));
  EXPECT_EQ(Reason(world, "late"), "needs 2 GPUs, 1 is free on gpu-3 (the nearest of 4 machines)");
  EXPECT_EQ(Reason(world, "next"), "waits for step 'late' (Queued)");
  EXPECT_EQ(Reason(world, "s0"), "");
}

TEST(PlacementTest, AWaitingStepSaysThatItsMachineIsAway) {
  World world;
  world.Connect(AMachine("m1"));
  world.Disconnect("m1");
  world.Submit("r", APipeline({AStep("a"), AStep("b").Pool("gpu")}));
  EXPECT_EQ(Reason(world, "a"),
            "the only machine that could hold it takes no new steps: m1 is not connected");
  EXPECT_THAT(Reason(world, "b"), HasSubstr("there is no pool 'gpu'"));
}

TEST(PlacementTest, AWaitingStepSaysThatAnEarlierOneComesFirst) {
  World world;
  world.Connect(AMachine("m").Cpus(4));
  world.Submit("r", APipeline({AStep("a").Cpus(2000), AStep("large").Cpus(4000), AStep("s")}));
  EXPECT_EQ(Reason(world, "s"), "would fit on m, which is kept for a step that comes before it");
  EXPECT_EQ(Reason(world, "large"), "needs 4 CPUs, 2 are free on m");
}

TEST(PlacementTest, WhatCanNeverFitIsNamedStepByStep) {
  World world;
  world.Connect(AMachine("m1").Memory(16 * kGiB).Gpus(1));
  const auto plan = APlan({AStep("fine"),
                           AStep("memory").Memory(17 * kGiB),
                           AStep("gpus").Gpus(2),
                           AStep("label").Label("disk", "ssd"),
                           AStep("pool").Pool("tpu")});
  const absl::Status status = CheckSatisfiable(world.state, *plan, world.options);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(std::string(status.message()),
            "jobs.memory: needs 17 GiB memory, 16 GiB is there on m1\n"
            "jobs.gpus: needs 2 GPUs, 1 is there on m1\n"
            "jobs.label: none of 1 machine carries the labels disk=ssd\n"
            "jobs.pool: there is no pool 'tpu'; the pools are cpu-cluster, gpu-cluster, "
            "serverless");
}

TEST(PlacementTest, ASilentMachineCountsAndAGoneOneDoesNot) {
  World world;
  const auto plan = APlan({AStep("a")});
  EXPECT_EQ(CheckSatisfiable(world.state, *plan, world.options).code(),
            absl::StatusCode::kUnavailable);
  world.Connect(AMachine("m1"));
  world.Wait(absl::Hours(1));
  EXPECT_TRUE(CheckSatisfiable(world.state, *plan, world.options).ok());
  world.Connect(AMachine("m1"));
  world.Turn({MachineGoodbye{world.Machine("m1").session, "m1"}});
  EXPECT_EQ(CheckSatisfiable(world.state, *plan, world.options).code(),
            absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace potok::server
