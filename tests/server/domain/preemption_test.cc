// Teams take back what they are guaranteed from preemptible steps of teams that hold more.
#include "server/domain/preemption.h"

#include "gmock/gmock.h"
#include "server/domain/placement.h"
#include "tests/server/domain/builders.h"

namespace potok::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr ReplyToken kPoolReply = 98;

void PutPool(World& world, bool preemption, bool low_priority = false) {
  PoolPut put{kPoolReply, "p", "", {}, "{}", "ann"};
  put.preemption = preemption;
  put.low_priority = low_priority;
  world.Turn({put});
}

// Ann is of vision, cyd of speech, both with these CPUs guaranteed; all others are of no team.
World WithTeams(std::int32_t vision_cpus, std::int32_t speech_cpus = 0) {
  World world;
  TeamEdit vision;
  vision.add_users = {"ann"};
  vision.cpu_millis_guaranteed = vision_cpus * 1000;
  TeamEdit speech;
  speech.add_users = {"cyd"};
  if (speech_cpus > 0) speech.cpu_millis_guaranteed = speech_cpus * 1000;
  EXPECT_TRUE(world.Edit("vision", vision).ok());
  EXPECT_TRUE(world.Edit("speech", speech).ok());
  PutPool(world, true);
  return world;
}

AStep InPool(const std::string& name, std::int32_t cpus = 1) {
  return AStep(name).Cpus(cpus * 1000).Pool("p");
}
Step Soft(const std::string& name, std::int32_t cpus = 1) {
  return InPool(name, cpus).Preemptible();
}
Step Several(Step step, std::int32_t members) {
  step.instance_count = members;
  return step;
}

// So many preemptible steps of cyd's, "a0" in "a" and so on, that have run for ever shorter times,
// each a second longer than the next.
void Fill(World& world, const std::string& run, int steps) {
  std::vector<Step> all;
  for (int i = 0; i < steps; ++i) all.push_back(Soft(run + std::to_string(i)));
  world.SubmitAs("cyd", run, APipeline(std::move(all)));
}
void Start(World& world, const std::string& run, const std::string& step) {
  const MachineId on = PlacementOf(world.StepOf(run, step).state())->machine;
  world.Report(world.state.machines.at(on).facts.name, {Starts(world.Attempt(run, step))});
}
void StartAll(World& world, const std::string& run, int steps) {
  for (int i = 0; i < steps; ++i) {
    Start(world, run, run + std::to_string(i));
    world.now += absl::Seconds(1);
  }
}
void Stop(World& world, const std::string& run, const std::string& step) {
  const MachineId on = PlacementOf(world.StepOf(run, step).state())->machine;
  world.Report(world.state.machines.at(on).facts.name, {Stops(world.Attempt(run, step))});
}
std::vector<std::string> Leaving(const World& world, const std::string& run, int steps) {
  std::vector<std::string> leaving;
  for (int i = 0; i < steps; ++i) {
    const std::string name = run + std::to_string(i);
    if (world.StateOf(run, name) == "Leaving") leaving.push_back(name);
  }
  return leaving;
}
// Time passes for the scheduler, but not so much that an agent is missed.
void Tock(World& world) {
  world.Wait(absl::Milliseconds(1));
}

// Four steps of speech run on all of m.
World Filled(std::int32_t vision_cpus = 2, std::int32_t speech_cpus = 0) {
  World world = WithTeams(vision_cpus, speech_cpus);
  world.Connect(AMachine("m"));
  Fill(world, "a", 4);
  StartAll(world, "a", 4);
  return world;
}

TEST(PreemptionTest, TheYoungestStepsMakeRoomForWhatIsGuaranteed) {
  World world = Filled();
  world.SubmitAs("ann", "v", APipeline({InPool("big", 2)}));
  EXPECT_THAT(world.Stops(), IsEmpty());
  Tock(world);
  EXPECT_THAT(Leaving(world, "a", 4), ElementsAre("a2", "a3"));
  ASSERT_THAT(world.Stops(), SizeIs(2));
  EXPECT_EQ(world.Stops()[0].reason,
            "preempted on m by team vision, which is guaranteed 2 CPUs; runs again when there is "
            "room");
  EXPECT_EQ(ExplainWaiting(world.state, world.KeyOf("v", "big"), world.options),
            "room is being made on m: 2 preemptible steps of team speech are stopping");
  // Nobody else gets what comes free before all of it is, however important.
  world.SubmitAs("bob", "b", APipeline({InPool("small").Priority(1000)}));
  Stop(world, "a", "a3");
  EXPECT_EQ(world.StateOf("b", "small"), "Queued");
  EXPECT_EQ(world.StateOf("v", "big"), "Queued");
  Stop(world, "a", "a2");
  EXPECT_EQ(world.StateOf("v", "big"), "Assigned");
  EXPECT_EQ(world.StateOf("a", "a2"), "Queued");
  EXPECT_EQ(ExplainWaiting(world.state, world.KeyOf("a", "a2"), world.options),
            "preempted on m by team vision, which is guaranteed 2 CPUs; runs again when there is "
            "room: needs 1 CPU, 0 are free on m");
  Start(world, "v", "big");
  world.Report("m", {Succeeds(world.Attempt("v", "big"))});
  EXPECT_EQ(world.StateOf("b", "small"), "Assigned");
  EXPECT_EQ(world.Attempt("a", "a3").attempt + world.Attempt("a", "a2").attempt, 3U);
}

TEST(PreemptionTest, NothingOfItCountsAsARetryOrALoss) {
  World world = Filled(4);
  world.SubmitAs("ann", "v", APipeline({InPool("all", 4)}));
  Tock(world);
  for (const char* step : {"a0", "a1", "a2", "a3"}) Stop(world, "a", step);
  Start(world, "v", "all");
  world.Report("m", {Succeeds(world.Attempt("v", "all"))});
  EXPECT_EQ(world.Attempt("a", "a0").attempt, 2U);
  EXPECT_EQ(world.StepOf("a", "a0").displaced, 1U);
  EXPECT_EQ(world.StepOf("a", "a0").machine_lost, 0U);
  EXPECT_THAT(world.Machine("m").losses, IsEmpty());
  // Its only try is still before it.
  Start(world, "a", "a0");
  world.Report("m", {Succeeds(world.Attempt("a", "a0"))});
  EXPECT_EQ(world.StateOf("a", "a0"), "Succeeded");
}

TEST(PreemptionTest, OffUntilAPoolAllowsIt) {
  World world = Filled();
  PutPool(world, false);
  world.SubmitAs("ann", "v", APipeline({InPool("v0")}));
  Tock(world);
  EXPECT_THAT(Leaving(world, "a", 4), IsEmpty());
  PutPool(world, true);
  Tock(world);
  EXPECT_THAT(Leaving(world, "a", 4), ElementsAre("a3"));
}

TEST(PreemptionTest, WhatIsNotPreemptibleIsNeverTouched) {
  World world = WithTeams(4);
  world.Connect(AMachine("m"));
  world.SubmitAs("cyd", "a", APipeline({InPool("hard"), InPool("never", 3).Preemptible(false)}));
  world.SubmitAs("ann", "v", APipeline({InPool("v0")}));
  Tock(world);
  EXPECT_THAT(world.Stops(), IsEmpty());
  // A pool of low priority makes all preemptible that do not say otherwise.
  PutPool(world, true, true);
  Tock(world);
  EXPECT_EQ(world.StateOf("a", "hard"), "Leaving");
  EXPECT_EQ(world.StateOf("a", "never"), "Assigned");
}

TEST(PreemptionTest, StepsOfOtherPoolsAreNotTaken) {
  World world = WithTeams(4);
  world.Connect(AMachine("m"));
  world.SubmitAs("cyd", "a", APipeline({AStep("default").Cpus(4000).Preemptible()}));
  world.SubmitAs("ann", "v", APipeline({InPool("v0")}));
  Tock(world);
  EXPECT_THAT(world.Stops(), IsEmpty());
}

TEST(PreemptionTest, NobodyIsBroughtBelowItsOwnGuarantee) {
  World world = Filled(4, 3);
  world.SubmitAs("ann", "v", APipeline({InPool("two", 2)}));
  Tock(world);
  EXPECT_THAT(Leaving(world, "a", 4), IsEmpty());
  world.SubmitAs("ann", "w", APipeline({InPool("one")}));
  Tock(world);
  EXPECT_THAT(Leaving(world, "a", 4), ElementsAre("a3"));
}

TEST(PreemptionTest, NotBeyondWhatIsGuaranteedNorWhatHasRoom) {
  World world = WithTeams(2);
  world.Connect(AMachine("m"));
  Fill(world, "a", 3);
  world.SubmitAs("ann", "v", APipeline({InPool("v0"), InPool("v1"), InPool("v2")}));
  EXPECT_EQ(world.StateOf("v", "v0"), "Assigned");
  Tock(world);
  EXPECT_THAT(Leaving(world, "a", 3), SizeIs(1));
  Tock(world);
  EXPECT_THAT(Leaving(world, "a", 3), SizeIs(1));
  // What asks for nothing that is guaranteed takes nothing back either.
  World other = Filled(0);
  TeamEdit gpus;
  gpus.gpu_millis_guaranteed = 4000;
  EXPECT_TRUE(other.Edit("vision", gpus, TeamEdited::Kind::kUpdate).ok());
  other.SubmitAs("ann", "v", APipeline({InPool("v0")}));
  Tock(other);
  EXPECT_THAT(Leaving(other, "a", 4), IsEmpty());
}

TEST(PreemptionTest, WhatNeverFitsTakesNothing) {
  World world = Filled(8);
  world.SubmitAs("ann", "v", APipeline({InPool("huge", 5)}));
  Tock(world);
  EXPECT_THAT(Leaving(world, "a", 4), IsEmpty());
}

TEST(PreemptionTest, TwoTeamsDoNotTakeFromEachOtherInACircle) {
  World world = WithTeams(2, 2);
  world.Connect(AMachine("m"));
  Fill(world, "a", 8);
  world.SubmitAs(
      "ann", "v", APipeline({Soft("v0"), Soft("v1"), Soft("v2"), Soft("v3"), Soft("v4")}));
  std::size_t stops = 0;
  for (int round = 0; round < 20; ++round) {
    Tock(world);
    stops += world.Stops().size();
    const std::set<AttemptKey> holding = world.Machine("m").holding;
    for (const AttemptKey& key : holding) {
      const StepState& state = world.state.runs.at(key.run).steps[key.index].state();
      const bool leaves = std::holds_alternative<server::Leaving>(state);
      world.Report("m", {leaves ? Stops(key) : Starts(key)});
    }
  }
  EXPECT_EQ(stops, 2U);
  EXPECT_EQ(world.state.teams.at("vision").use.held.cpu_millis, 2000);
  EXPECT_EQ(world.state.teams.at("speech").use.held.cpu_millis, 2000);
}

TEST(PreemptionTest, TheMachineWithTheLeastLossIsTaken) {
  World world = WithTeams(4);
  world.Connect(AMachine("m1"));
  Fill(world, "a", 4);
  StartAll(world, "a", 4);
  world.now += absl::Seconds(5);
  world.Connect(AMachine("m2").Cpus(2));
  Fill(world, "b", 2);
  StartAll(world, "b", 2);
  world.SubmitAs("ann", "v", APipeline({InPool("two", 2)}));
  Tock(world);
  EXPECT_THAT(Leaving(world, "a", 4), IsEmpty());
  EXPECT_THAT(Leaving(world, "b", 2), ElementsAre("b0", "b1"));
}

TEST(PreemptionTest, WhatIsStoringItsOutputsIsWaitedForInstead) {
  World world = Filled(1);
  world.Report("m", {Exits(world.Attempt("a", "a0"))});
  world.SubmitAs("ann", "v", APipeline({InPool("v0")}));
  Tock(world);
  EXPECT_THAT(Leaving(world, "a", 4), IsEmpty());
  EXPECT_EQ(ExplainWaiting(world.state, world.KeyOf("v", "v0"), world.options),
            "room is kept for it on m: what holds that is about to end");
  world.SubmitAs("bob", "b", APipeline({InPool("small").Priority(9)}));
  world.Report("m", {Succeeds(world.Attempt("a", "a0"))});
  EXPECT_EQ(world.StateOf("v", "v0"), "Assigned");
}

TEST(PreemptionTest, AllMembersOfAStepOnSeveralMachinesEndForIt) {
  World world = WithTeams(4);
  world.Connect(AMachine("m1"));
  world.Connect(AMachine("m2"));
  world.SubmitAs("cyd", "a", APipeline({Several(Soft("g", 4), 2)}));
  world.SubmitAs("ann", "v", APipeline({InPool("one")}));
  Tock(world);
  EXPECT_EQ(world.StateOf("a", "g[1]/rank0"), "Leaving");
  EXPECT_EQ(world.StateOf("a", "g[1]/rank1"), "Leaving");
  Stop(world, "a", "g[1]/rank0");
  Stop(world, "a", "g[1]/rank1");
  EXPECT_EQ(world.StateOf("v", "one"), "Assigned");
  EXPECT_EQ(world.StateOf("a", "g"), "Open");
  EXPECT_EQ(world.StateOf("a", "g[2]/rank0"), "Queued");
  Start(world, "v", "one");
  const MachineId on = PlacementOf(world.StepOf("v", "one").state())->machine;
  world.Report(world.state.machines.at(on).facts.name, {Succeeds(world.Attempt("v", "one"))});
  EXPECT_EQ(world.StateOf("a", "g[2]/rank0"), "Assigned");
}

TEST(PreemptionTest, AStepOnSeveralMachinesTakesRoomOnAllAtOnce) {
  World world = WithTeams(8);
  world.Connect(AMachine("m1"));
  world.Connect(AMachine("m2"));
  Fill(world, "a", 8);
  StartAll(world, "a", 8);
  world.SubmitAs("ann", "v", APipeline({Several(InPool("g", 3), 2)}));
  Tock(world);
  EXPECT_THAT(Leaving(world, "a", 8), SizeIs(6));
  EXPECT_THAT(ExplainWaiting(world.state, world.KeyOf("v", "g[1]/rank1"), world.options),
              HasSubstr("room is being made on m1 and m2: 6 preemptible steps of team speech"));
  for (const std::string& step : Leaving(world, "a", 8)) {
    EXPECT_EQ(world.StateOf("v", "g[1]/rank0"), "Queued");
    Stop(world, "a", step);
  }
  EXPECT_EQ(world.StateOf("v", "g[1]/rank0"), "Assigned");
  EXPECT_EQ(world.StateOf("v", "g[1]/rank1"), "Assigned");
}

TEST(PreemptionTest, ARestartLosesNeitherThePromiseNorTheStops) {
  World world = Filled();
  world.SubmitAs("ann", "v", APipeline({InPool("big", 2)}));
  Tock(world);
  Stop(world, "a", "a3");
  world.Restart();
  EXPECT_EQ(world.StateOf("a", "a2"), "Leaving");
  world.Connect(AMachine("m"),
                {world.Attempt("a", "a0"), world.Attempt("a", "a1"), world.Attempt("a", "a2")});
  ASSERT_THAT(world.Stops(), SizeIs(1));
  EXPECT_EQ(world.StateOf("a", "a3"), "Queued");
  Tock(world);
  EXPECT_THAT(Leaving(world, "a", 4), ElementsAre("a2"));
  Stop(world, "a", "a2");
  EXPECT_EQ(world.StateOf("v", "big"), "Assigned");
}

TEST(PreemptionTest, APromiseEndsWithItsMachineAndItsStep) {
  World world = Filled();
  world.SubmitAs("ann", "v", APipeline({InPool("big", 2)}));
  Tock(world);
  EXPECT_THAT(world.state.promised, SizeIs(1));
  world.Turn({MachinesCordoned{kPoolReply, {"m"}, false, absl::InfiniteDuration(), "ann", ""}});
  EXPECT_THAT(world.state.promised, IsEmpty());
  world.Turn({MachinesUncordoned{kPoolReply, {"m"}, "ann", ""}});
  Tock(world);
  EXPECT_THAT(world.state.promised, SizeIs(1));
  EXPECT_THAT(Leaving(world, "a", 4), ElementsAre("a2", "a3"));
  world.Cancel("v");
  EXPECT_THAT(world.state.promised, IsEmpty());
  Stop(world, "a", "a2");
  EXPECT_EQ(world.StateOf("a", "a2"), "Assigned");
}

TEST(PreemptionTest, AHeldRunLetsItsRoomGo) {
  World world = Filled(1);
  world.SubmitAs("ann", "v", APipeline({InPool("v0")}));
  Tock(world);
  world.Turn({HoldRequested{kPoolReply, "v", "ann", ""}});
  EXPECT_THAT(world.state.promised, IsEmpty());
  Stop(world, "a", "a3");
  EXPECT_EQ(world.StateOf("a", "a3"), "Assigned");
}

TEST(PreemptionTest, GpusThatWereTakenAreKeptByTheirNumbers) {
  World world = WithTeams(0);
  TeamEdit gpus;
  gpus.gpu_millis_guaranteed = 2000;
  EXPECT_TRUE(world.Edit("vision", gpus, TeamEdited::Kind::kUpdate).ok());
  world.Connect(AMachine("m").Cpus(16).Gpus(3));
  std::vector<Step> steps;
  for (int i = 0; i < 3; ++i) {
    steps.push_back(InPool("a" + std::to_string(i)).Gpus(1).Preemptible());
  }
  world.SubmitAs("cyd", "a", APipeline(std::move(steps)));
  StartAll(world, "a", 3);
  world.SubmitAs("ann", "v", APipeline({InPool("two").Gpus(2)}));
  Tock(world);
  EXPECT_THAT(Leaving(world, "a", 3), ElementsAre("a1", "a2"));
  world.SubmitAs("bob", "b", APipeline({InPool("one").Gpus(1), InPool("none")}));
  EXPECT_EQ(world.StateOf("b", "none"), "Assigned");
  Stop(world, "a", "a1");
  EXPECT_EQ(world.StateOf("b", "one"), "Queued");
  Stop(world, "a", "a2");
  EXPECT_EQ(world.In<Assigned>("v", "two").placement.gpus, (std::vector<std::int32_t>{1, 2}));
}

// --- guarantees of one pool

PoolShareEdit GuaranteedInPool(std::int64_t cpus, const std::string& pool = "p") {
  PoolShareEdit edit{pool};
  edit.cpu_millis_guaranteed = cpus * 1000;
  return edit;
}
void EditPool(World& world, const std::string& team, const PoolShareEdit& edit) {
  TeamEdit edits;
  edits.pools = {edit};
  EXPECT_TRUE(world.Edit(team, edits, TeamEdited::Kind::kUpdate).ok());
}

TEST(PreemptionTest, AGuaranteeOfThePoolTakesBackInIt) {
  World world = Filled(0);
  EditPool(world, "vision", GuaranteedInPool(2));
  world.SubmitAs("ann", "v", APipeline({InPool("big", 2), InPool("more", 1)}));
  Tock(world);
  EXPECT_THAT(Leaving(world, "a", 4), ElementsAre("a2", "a3"));
  ASSERT_THAT(world.Stops(), SizeIs(2));
  EXPECT_EQ(world.Stops()[0].reason,
            "preempted on m by team vision, which is guaranteed 2 CPUs in pool p; runs again when "
            "there is room");
  // What goes beyond the guarantee waits.
  Tock(world);
  EXPECT_THAT(Leaving(world, "a", 4), ElementsAre("a2", "a3"));
}

TEST(PreemptionTest, AGuaranteeOfAnotherPoolTakesNothing) {
  World world = Filled(0);
  EditPool(world, "vision", GuaranteedInPool(2, "default"));
  world.SubmitAs("ann", "v", APipeline({InPool("big", 2)}));
  Tock(world);
  EXPECT_THAT(Leaving(world, "a", 4), IsEmpty());
}

TEST(PreemptionTest, WhatATeamIsGuaranteedInThePoolItKeeps) {
  World world = Filled(4);
  EditPool(world, "speech", GuaranteedInPool(3));
  world.SubmitAs("ann", "v", APipeline({InPool("big", 2), InPool("one", 1)}));
  Tock(world);
  // Two would leave it less than its three.
  EXPECT_THAT(Leaving(world, "a", 4), ElementsAre("a3"));
  EXPECT_NE(world.StateOf("v", "big"), "Assigned");
}

// --- limits of a pool

PoolPut Allowing(const std::string& name, std::int32_t running_steps) {
  PoolPut put{kPoolReply, name, "", {}, "{}", "ann"};
  put.preemption = true;
  put.limits.running_steps = running_steps;
  return put;
}

TEST(PreemptionTest, WhoIsHeldByTheLimitsOfItsPoolTakesRoomInThem) {
  World world = Filled(2);
  world.Connect(AMachine("n"));
  world.Turn({Allowing("p", 4)});
  world.SubmitAs("ann", "v", APipeline({InPool("one")}));
  EXPECT_EQ(world.StateOf("v", "one"), "Queued");
  Tock(world);
  EXPECT_THAT(Leaving(world, "a", 4), ElementsAre("a3"));
  EXPECT_NE(PromisedTo(world.StepOf("v", "one").state()), nullptr);
  // There is room on a machine already, and nobody else gets what the limits leave then.
  world.SubmitAs("bob", "b", APipeline({InPool("small").Priority(1000)}));
  Tock(world);
  EXPECT_NE(PromisedTo(world.StepOf("v", "one").state()), nullptr);
  Stop(world, "a", "a3");
  EXPECT_EQ(world.StateOf("v", "one"), "Assigned");
  EXPECT_EQ(world.StateOf("b", "small"), "Queued");
}

TEST(PreemptionTest, NoMoreEndsThanTheLimitsLack) {
  World world = Filled(4);
  world.Connect(AMachine("n"));
  world.Turn({Allowing("p", 5)});
  world.SubmitAs("ann", "v", APipeline({InPool("one"), InPool("two"), Several(InPool("pair"), 2)}));
  Tock(world);
  // One had room in the limits; one more and two of them that begin together lacked three.
  EXPECT_THAT(Leaving(world, "a", 4), ElementsAre("a1", "a2", "a3"));
  Tock(world);
  EXPECT_THAT(Leaving(world, "a", 4), ElementsAre("a1", "a2", "a3"));
}

TEST(PreemptionTest, WithoutAGuaranteeTheLimitsHold) {
  World world = Filled(0);
  world.Connect(AMachine("n"));
  world.Turn({Allowing("p", 4)});
  world.SubmitAs("ann", "v", APipeline({InPool("one")}));
  Tock(world);
  EXPECT_THAT(Leaving(world, "a", 4), IsEmpty());
}

TEST(PreemptionTest, TheDefaultPoolCanAllowIt) {
  World world = WithTeams(2);
  world.Connect(AMachine("m"));
  world.SubmitAs("cyd", "a", APipeline({AStep("a0").Cpus(4000).Preemptible()}));
  Start(world, "a", "a0");
  world.SubmitAs("ann", "v", APipeline({AStep("one").Cpus(1000)}));
  Tock(world);
  EXPECT_THAT(Leaving(world, "a", 1), IsEmpty());
  PoolPut put{kPoolReply, "default", "", {}, "{}", "ann"};
  put.preemption = true;
  world.Turn({put});
  Tock(world);
  EXPECT_THAT(Leaving(world, "a", 1), ElementsAre("a0"));
}

// --- the choice by itself

Scene OneMachine(const std::vector<std::pair<std::int32_t, double>>& cpus_and_lost) {
  Scene scene;
  RoomToMake room{1, {kGiB, 0, 0}, {}, {}};
  for (const auto& [cpus, lost] : cpus_and_lost) {
    const Resources request{0, cpus * 1000, 0};
    const auto number = static_cast<std::uint32_t>(scene.victims.size());
    scene.victims.push_back({{{1, number}}, "speech", AmountsOf(request), lost});
    room.parts.push_back({number, request, {}});
  }
  scene.rooms.push_back(std::move(room));
  scene.teams["speech"] = {};
  return scene;
}

std::vector<std::size_t> TakenOf(Scene scene, std::int32_t cpus) {
  Shape shape;
  shape.request = {0, cpus * 1000, 0};
  const auto taking = LeastTaking(std::move(scene), {"vision", shape});
  return taking.has_value() ? taking->victims : std::vector<std::size_t>{99};
}

TEST(LeastTakingTest, NobodyEndsWhoIsNotNeeded) {
  EXPECT_THAT(TakenOf(OneMachine({{1, 1}, {1, 2}, {4, 3}}), 4), ElementsAre(2));
  EXPECT_THAT(TakenOf(OneMachine({{1, 5}, {1, 2}, {1, 3}}), 2), ElementsAre(1, 2));
  EXPECT_THAT(TakenOf(OneMachine({{1, 5}, {2, 6}, {1, 2}}), 2), ElementsAre(1));
  EXPECT_THAT(TakenOf(OneMachine({{1, 1}}), 2), ElementsAre(99));
}

TEST(LeastTakingTest, OfItsOwnTeamNothingIsTaken) {
  Scene scene = OneMachine({{2, 1}});
  scene.victims[0].team = "vision";
  EXPECT_THAT(TakenOf(std::move(scene), 1), ElementsAre(99));
}

TEST(LeastTakingTest, GuaranteesCountByEachAmountThatIsGuaranteed) {
  const Amounts gpus_only{0, 0, 4000};
  EXPECT_TRUE(Covers(gpus_only, {0, 90'000, 3000}, {0, 8000, 1000}));
  EXPECT_FALSE(Covers(gpus_only, {0, 0, 4000}, {0, 8000, 1000}));
  EXPECT_FALSE(Covers(gpus_only, {}, {0, 8000, 0}));
  EXPECT_FALSE(Covers({}, {}, {0, 8000, 0}));
  EXPECT_TRUE(CanGive(gpus_only, {0, 8000, 5000}, {0, 8000, 1000}));
  EXPECT_FALSE(CanGive(gpus_only, {0, 8000, 4000}, {0, 8000, 1000}));
  EXPECT_TRUE(CanGive(gpus_only, {0, 8000, 0}, {0, 8000, 0}));
}

}  // namespace
}  // namespace potok::server
