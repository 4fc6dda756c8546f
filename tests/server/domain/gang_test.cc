// Steps on several machines at once: all members start together or none, and end together.
#include "server/domain/gang.h"

#include <set>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "server/domain/placement.h"
#include "tests/server/domain/flow_builders.h"

namespace potok::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Step Several(Step step, std::int32_t members, std::int32_t max_attempts = 1) {
  step.instance_count = members;
  step.retry.max_attempts = max_attempts;
  return step;
}

World WithMachines(std::int32_t count) {
  World world;
  for (std::int32_t i = 1; i <= count; ++i) {
    world.Connect(
        AMachine(fmt::format("m{}", i)).Cpus(2).Label("address", fmt::format("10.0.0.{}", i)));
  }
  return world;
}

std::string MachineOf(const World& world, const std::string& step) {
  const Placement* placement = PlacementOf(world.StepOf("r", step).state());
  return placement == nullptr ? "" : world.state.machines.at(placement->machine).facts.name;
}

void Tell(World& world, const std::string& step, const Report& report) {
  world.Report(MachineOf(world, step), {report});
}
void Succeed(World& world, const std::string& step, std::vector<OutputValue> outputs = {}) {
  Tell(world, step, Succeeds(world.Attempt("r", step), std::move(outputs)));
}
void Break(World& world, const std::string& step, FailureCause cause = FailureCause::kExitCode) {
  Tell(world, step, Fails(world.Attempt("r", step), cause));
}
void Stop(World& world, const std::string& step) {
  Tell(world, step, Stops(world.Attempt("r", step)));
}

// --- starting

TEST(GangTest, MembersGoToMachinesOfTheirOwnAndKnowEachOther) {
  World world = WithMachines(3);
  world.Submit("r", APipeline({Several(AStep("train"), 3)}));
  EXPECT_EQ(world.StateOf("r", "train"), "Open");
  const std::vector<StartOrder> starts = world.Starts();
  ASSERT_THAT(starts, SizeIs(3));
  std::set<std::int32_t> ranks;
  for (const StartOrder& start : starts) {
    ASSERT_TRUE(start.gang.has_value());
    ranks.insert(start.gang->rank);
    EXPECT_EQ(start.gang->hosts, starts[0].gang->hosts);
    EXPECT_EQ(start.gang->port, starts[0].gang->port);
    const std::string member = start.plan->NameOf(start.key.index);
    const auto rank = static_cast<std::size_t>(start.gang->rank);
    EXPECT_EQ("10.0.0." + MachineOf(world, member).substr(1), start.gang->hosts[rank]);
  }
  EXPECT_THAT(ranks, ElementsAre(0, 1, 2));
  EXPECT_EQ(
      std::set<std::string>(starts[0].gang->hosts.begin(), starts[0].gang->hosts.end()).size(), 3U);
}

TEST(GangTest, NoMemberStartsBeforeAllCan) {
  World world = WithMachines(2);
  world.Submit("busy", APipeline({AStep("a").Cpus(2000)}));
  world.Submit("r", APipeline({Several(AStep("train").Cpus(2000), 2)}));
  EXPECT_EQ(world.StateOf("r", "train[1]/rank0"), "Queued");
  EXPECT_EQ(world.StateOf("r", "train[1]/rank1"), "Queued");
  const StepKey member = world.KeyOf("r", "train[1]/rank0");
  EXPECT_THAT(ExplainWaiting(world.state, member, world.options),
              HasSubstr("needs 2 machines at once; 1 of 2 have room for one of its members now"));
  world.Report("m1", {Succeeds(world.Attempt("busy", "a"))});
  EXPECT_EQ(world.StateOf("r", "train[1]/rank0"), "Assigned");
  EXPECT_EQ(world.StateOf("r", "train[1]/rank1"), "Assigned");
}

TEST(GangTest, WhatComesBehindDoesNotKeepItFromItsMachines) {
  World world = WithMachines(2);
  world.Submit("one", APipeline({AStep("a").Cpus(2000)}));
  world.Submit("two", APipeline({AStep("a").Cpus(2000)}));
  world.Submit("r", APipeline({Several(AStep("train").Cpus(2000), 2)}));
  world.Submit("behind", APipeline({AStep("a").Cpus(2000)}));
  world.Report("m1", {Succeeds(world.Attempt("one", "a"))});
  EXPECT_EQ(world.StateOf("behind", "a"), "Queued");  // the first of the two is kept
  world.Report("m2", {Succeeds(world.Attempt("two", "a"))});
  EXPECT_EQ(world.StateOf("r", "train[1]/rank0"), "Assigned");
  EXPECT_EQ(world.StateOf("behind", "a"), "Queued");
}

TEST(GangTest, WhoEndsBeforeTheLastMachineIsFreeGoesAroundIt) {
  World world = WithMachines(2);
  Step limited = AStep("a").Cpus(2000);
  limited.timeout_seconds = 100;
  world.Submit("long", APipeline({limited}));
  world.Report(
      world.state.machines.at(PlacementOf(world.StepOf("long", "a").state())->machine).facts.name,
      {Starts(world.Attempt("long", "a"))});
  world.Submit("r", APipeline({Several(AStep("train").Cpus(2000), 2)}));
  Step short_one = limited;
  short_one.timeout_seconds = 99;
  Step long_one = limited;
  long_one.timeout_seconds = 101;
  world.Submit("no", APipeline({long_one}));
  EXPECT_EQ(world.StateOf("no", "a"), "Queued");
  world.Submit("yes", APipeline({short_one}));
  EXPECT_EQ(world.StateOf("yes", "a"), "Assigned");
}

TEST(GangTest, MembersShareMachinesWhereThereAreTooFew) {
  World world = WithMachines(1);
  world.Submit("r", APipeline({Several(AStep("train").Cpus(1000), 2)}));
  const std::vector<StartOrder> starts = world.Starts();
  ASSERT_THAT(starts, SizeIs(2));
  EXPECT_THAT(starts[0].gang->hosts, ElementsAre("127.0.0.1", "127.0.0.1"));
}

TEST(GangTest, WhatFitsNowhereTogetherIsRefusedWithWhatThereIs) {
  World world = WithMachines(2);
  const auto plan = APlan({Several(AStep("train").Cpus(2000), 3)});
  const absl::Status status = CheckSatisfiable(world.state, *plan, world.options);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(),
            "jobs.train: runs as 3 members at once; 2 machines together could hold 2");
  EXPECT_TRUE(
      CheckSatisfiable(world.state, *APlan({Several(AStep("train").Cpus(2000), 2)}), world.options)
          .ok());
}

TEST(GangTest, ALimitOfRunningStepsCountsMembers) {
  World world = WithMachines(4);
  PipelineSpec spec = APipeline({AStep("alone"), Several(AStep("train"), 2), AStep("other")});
  spec.settings.max_running_steps = 2;
  world.Submit("r", spec);
  EXPECT_EQ(world.StateOf("r", "alone"), "Assigned");
  EXPECT_EQ(world.StateOf("r", "train[1]/rank0"), "Queued");
  Succeed(world, "alone");
  if (world.StateOf("r", "other") == "Assigned") Succeed(world, "other");
  EXPECT_EQ(world.StateOf("r", "train[1]/rank0"), "Assigned");
  EXPECT_EQ(world.StateOf("r", "train[1]/rank1"), "Assigned");
}

// --- ending

TEST(GangTest, WhatRankZeroMadeIsWhatTheStepMade) {
  World world = WithMachines(2);
  world.Submit("r",
               APipeline({Several(AStep("train").Output("model"), 2),
                          AStep("use").Data("in", OutputOf("train", "model"))}));
  Succeed(world, "train[1]/rank0", {Files("model")});
  EXPECT_EQ(world.StateOf("r", "train"), "Open");
  EXPECT_EQ(world.StateOf("r", "use"), "Blocked");
  Succeed(world, "train[1]/rank1");
  EXPECT_EQ(world.StateOf("r", "train"), "Succeeded");
  EXPECT_EQ(world.StateOf("r", "use"), "Assigned");
}

TEST(GangTest, WhenOneFailsTheOthersAreStoppedAndAllBeginAgain) {
  World world = WithMachines(2);
  world.Submit("r", APipeline({Several(AStep("train"), 2, 2)}));
  Break(world, "train[1]/rank1");
  ASSERT_THAT(world.Stops(), SizeIs(1));
  EXPECT_EQ(world.Stops()[0].key, world.Attempt("r", "train[1]/rank0"));
  EXPECT_EQ(world.StateOf("r", "train[1]/rank0"), "Stopping");
  EXPECT_FALSE(world.Has("r", "train[2]/rank0"));  // not before the last has ended
  Stop(world, "train[1]/rank0");
  EXPECT_EQ(world.StateOf("r", "train[2]/rank0"), "Assigned");
  EXPECT_EQ(world.StateOf("r", "train[2]/rank1"), "Assigned");
  Break(world, "train[2]/rank0");
  Stop(world, "train[2]/rank1");
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kFailed);
  EXPECT_THAT(world.LastMove("r").reason, HasSubstr("'train[2]/rank0'"));
}

TEST(GangTest, OneThatHasEndedWellRunsAgainWithTheOthers) {
  World world = WithMachines(2);
  world.Submit("r", APipeline({Several(AStep("train"), 2, 2)}));
  Succeed(world, "train[1]/rank0");
  Break(world, "train[1]/rank1");
  EXPECT_EQ(world.StateOf("r", "train[2]/rank0"), "Assigned");
  EXPECT_EQ(world.StateOf("r", "train[2]/rank1"), "Assigned");
}

TEST(GangTest, TheDelayOfARetryIsKept) {
  World world = WithMachines(2);
  Step step = Several(AStep("train"), 2, 2);
  step.retry.delay_seconds = 3;
  world.Submit("r", APipeline({step}));
  Break(world, "train[1]/rank1");
  Stop(world, "train[1]/rank0");
  EXPECT_EQ(world.StateOf("r", "train"), "Delayed");
  world.Restart();
  for (const char* machine : {"m1", "m2"}) world.Connect(world.Machine(machine).facts);
  world.Wait(absl::Seconds(2));
  EXPECT_FALSE(world.Has("r", "train[2]/rank0"));
  world.Wait(absl::Seconds(1));
  EXPECT_EQ(world.StateOf("r", "train"), "Open");
  EXPECT_EQ(world.StateOf("r", "train[2]/rank0"), "Assigned");
}

TEST(GangTest, ALostMachineEndsAllAndUsesUpNoRetry) {
  World world = WithMachines(3);
  world.Submit("r", APipeline({Several(AStep("train"), 2)}));
  const std::string lost = MachineOf(world, "train[1]/rank1");
  Break(world, "train[1]/rank1", FailureCause::kMachineLost);
  Stop(world, "train[1]/rank0");
  EXPECT_EQ(world.StateOf("r", "train[2]/rank0"), "Assigned");
  EXPECT_EQ(world.StateOf("r", "train[2]/rank1"), "Assigned");
  EXPECT_FALSE(lost.empty());
}

TEST(GangTest, MachinesThatAreLostAgainAndAgainEndIt) {
  World world = WithMachines(2);
  world.options.machine_lost_max = 2;
  world.Submit("r", APipeline({Several(AStep("train"), 2)}));
  for (int attempt = 1; attempt <= 3; ++attempt) {
    Break(world, fmt::format("train[{}]/rank1", attempt), FailureCause::kMachineLost);
    Stop(world, fmt::format("train[{}]/rank0", attempt));
  }
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kFailed);
}

TEST(GangTest, ADrainedMachineMovesAllMembersAndUsesUpNeitherLossesNorRetries) {
  World world = WithMachines(3);
  world.options.machine_lost_max = 0;
  world.Submit("r", APipeline({Several(AStep("train"), 2)}));
  for (int attempt = 1; attempt <= 3; ++attempt) {
    const std::string drained = fmt::format("train[{}]/rank1", attempt);
    const std::string other = fmt::format("train[{}]/rank0", attempt);
    const std::string machine = MachineOf(world, drained);
    world.Turn({MachinesCordoned{1, {machine}, true, absl::ZeroDuration(), "ann", "dust"}});
    EXPECT_EQ(world.StateOf("r", drained), "Leaving");
    Stop(world, drained);
    EXPECT_EQ(world.StateOf("r", other), "Stopping");
    Stop(world, other);
    const std::string next = fmt::format("train[{}]/rank1", attempt + 1);
    EXPECT_EQ(world.StateOf("r", next), "Assigned");
    EXPECT_NE(MachineOf(world, next), machine);
    world.Turn({MachinesUncordoned{1, {machine}, "ann", ""}});
  }
  Succeed(world, "train[4]/rank0");
  Succeed(world, "train[4]/rank1");
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kCompleted);
}

TEST(GangTest, TheLimitsOfItsPoolHoldForAllMembersTogether) {
  World world = WithMachines(3);
  PoolLimits limits;
  limits.running_steps = 2;
  world.Turn({PoolPut{1, "p", "", limits, "", "ann"}});
  world.Submit("one", APipeline({AStep("a").Pool("p")}));
  world.Submit("r", APipeline({Several(AStep("train").Pool("p"), 2)}));
  EXPECT_EQ(world.StateOf("r", "train[1]/rank0"), "Queued");
  EXPECT_EQ(world.StateOf("r", "train[1]/rank1"), "Queued");
  EXPECT_THAT(ExplainWaiting(world.state, world.KeyOf("r", "train[1]/rank0"), world.options),
              HasSubstr("pool 'p' is at its limits (2 running steps)"));
  EXPECT_EQ(std::string(CheckSatisfiable(
                            world.state, *APlan({Several(AStep("a").Pool("p"), 3)}), world.options)
                            .message()),
            "jobs.a: needs 3 times 1 CPU, and the limits of pool 'p' are 2 running steps");
  world.Report("m1", {Succeeds(world.Attempt("one", "a"))});
  EXPECT_EQ(world.StateOf("r", "train[1]/rank0"), "Assigned");
  EXPECT_EQ(world.StateOf("r", "train[1]/rank1"), "Assigned");
}

TEST(GangTest, CancelingTheRunStopsAllMembers) {
  World world = WithMachines(2);
  world.Submit("r", APipeline({Several(AStep("train"), 2, 5)}));
  world.Cancel("r");
  EXPECT_THAT(world.Stops(), SizeIs(2));
  Stop(world, "train[1]/rank0");
  Stop(world, "train[1]/rank1");
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kCanceled);
}

TEST(GangTest, ItIsReusedAsOne) {
  World world = WithMachines(2);
  const PipelineSpec spec = APipeline({Several(AStep("train").Reusable().Output("model"), 2)});
  world.Submit("r", spec);
  world.Submit("s", spec);
  EXPECT_EQ(world.StateOf("s", "train"), "Resolving");  // it waits for the one that runs
  Succeed(world, "train[1]/rank0", {Files("model")});
  Succeed(world, "train[1]/rank1");
  EXPECT_EQ(world.StateOf("s", "train"), "Succeeded");
  EXPECT_TRUE(world.In<Succeeded>("s", "train").reused.has_value());
}

TEST(GangTest, AServerThatStartsAgainTellsTheSameOfTheMembers) {
  World world = WithMachines(2);
  world.Submit("r", APipeline({Several(AStep("train"), 2)}));
  const GangFacts before = *world.Starts()[0].gang;
  world.Restart();
  std::vector<StartOrder> starts;
  for (const char* machine : {"m1", "m2"}) {
    world.Connect(world.Machine(machine).facts);
    for (StartOrder& start : world.Starts()) starts.push_back(std::move(start));
  }
  ASSERT_THAT(starts, SizeIs(2));
  EXPECT_EQ(starts[0].gang->hosts, before.hosts);
  EXPECT_EQ(starts[1].gang->port, before.port);
}

TEST(GangTest, ItemsOfALoopMayBeGangs) {
  World world = WithMachines(2);
  Step body = Several(AStep("fit").Text("n", ParentInputOf("n"), ValueType::kInteger), 2);
  world.Submit(
      "r",
      APipeline({ALoop(AStep("folds").Unset("n", ValueType::kInteger), R"([{"n": 1}])", {body})}));
  EXPECT_EQ(world.StateOf("r", "folds[0]/fit[1]/rank1"), "Assigned");
  Succeed(world, "folds[0]/fit[1]/rank0");
  Succeed(world, "folds[0]/fit[1]/rank1");
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kCompleted);
}

TEST(GangTest, MiniBatchesRunOnOneMachineWhateverTheyAskFor) {
  PipelineSpec spec = APipeline({Several(AStep("score"), 2)});
  spec.steps[0].control = std::make_shared<const Control>(Control{Parallel{}, {}});
  const auto plan = RebuildPlan(std::move(spec));
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ((*plan)->shape_of(0).machines, 1);
  EXPECT_FALSE(IsControl((*plan)->definition(0)));
}

}  // namespace
}  // namespace potok::server
