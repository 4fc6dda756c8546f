// Pools: which machines they hold, and what their limits do.
#include "gmock/gmock.h"
#include "server/domain/placement.h"
#include "server/domain/pools.h"
#include "tests/server/domain/builders.h"

namespace potok::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr ReplyToken kPoolReply = 99;

absl::Status PoolAnswer(const World& world) {
  for (const Answer& answer : world.Said<Answer>()) {
    if (answer.reply == kPoolReply) return answer.status;
  }
  return absl::InternalError("not answered");
}

void Put(World& world,
         const std::string& pool,
         const std::string& selector,
         const PoolLimits& limits = {}) {
  world.Turn({PoolPut{kPoolReply, pool, selector, limits, "{}", "ann"}});
}

void Delete(World& world, const std::string& pool) {
  world.Turn({PoolDeleted{kPoolReply, pool}});
}

std::vector<std::string> MachinesIn(const World& world, const std::string& pool) {
  const Pools pools(world.state, world.options);
  std::vector<std::string> names;
  for (const auto& [id, machine] : world.state.machines) {
    if (pools.Holds(machine, pools.Resolve(pool))) names.push_back(machine.facts.name);
  }
  return names;
}

// b1 and b2 carry zone=b, g has GPUs, own is declared to be in pool "own" and carries zone=b.
World WithMachines() {
  World world;
  world.Connect(AMachine("b1").Label("zone", "b"));
  world.Connect(AMachine("b2").Label("zone", "b"));
  world.Connect(AMachine("g").Gpus(2));
  world.Connect(AMachine("own").Pool("own").Label("zone", "b"));
  return world;
}

TEST(PoolTest, ASelectorHoldsAllMachinesWithItsLabels) {
  World world = WithMachines();
  Put(world, "zone-b", "zone == b");
  EXPECT_EQ(PoolAnswer(world), absl::OkStatus());
  EXPECT_THAT(MachinesIn(world, "zone-b"), ElementsAre("b1", "b2", "own"));
  world.Submit("r", APipeline({AStep("a").Pool("zone-b"), AStep("b").Pool("azureml:zone-b")}));
  EXPECT_EQ(world.StateOf("r", "a"), "Assigned");
  EXPECT_EQ(world.StateOf("r", "b"), "Assigned");
}

TEST(PoolTest, ASelectorSeesWhatMachinesAreAndHowPeopleLabelThem) {
  World world = WithMachines();
  Put(world, "large", "gpu.count >= 2 || (has(zone) && name != own)");
  EXPECT_THAT(MachinesIn(world, "large"), ElementsAre("b1", "b2", "g"));
  world.Turn({MachinesLabeled{kPoolReply, {"b1"}, {{"zone", std::nullopt}}, "ann", ""}});
  world.Turn({MachinesLabeled{kPoolReply, {"own"}, {{"name", "another"}}, "ann", ""}});
  EXPECT_THAT(MachinesIn(world, "large"), ElementsAre("b2", "g", "own"));
}

TEST(PoolTest, ASelectorThatIsTrueOfNoMachineIsSaid) {
  World world = WithMachines();
  Put(world, "c", "zone == c");
  const absl::Status status =
      CheckSatisfiable(world.state, *APlan({AStep("a").Pool("c")}), world.options);
  EXPECT_EQ(std::string(status.message()),
            "jobs.a: no machine is in pool 'c': of none is zone == c true");
}

TEST(PoolTest, SharesOfGpusCountForItsLimit) {
  World world;
  world.Connect(AMachine("g").Gpus(2));
  PoolLimits limits;
  limits.gpu_millis = 1500;
  Put(world, "p", "", limits);
  world.Submit("r",
               APipeline({AStep("a").Pool("p").Gpus(1),
                          AStep("b").Pool("p").GpuShare(400),
                          AStep("c").Pool("p").GpuShare(400)}));
  EXPECT_EQ(world.StateOf("r", "b"), "Assigned");
  EXPECT_EQ(world.StateOf("r", "c"), "Queued");
  EXPECT_EQ(ExplainWaiting(world.state, world.KeyOf("r", "c"), world.options),
            "pool 'p' is at its limits (1.5 GPUs); in use: 2 running steps, 2 CPUs, 1.4 GPUs");
  EXPECT_THAT(ExplainMachines(world.state, world.KeyOf("r", "c"), world.options),
              ElementsAre("1 machine: with room for it, beyond the limits of its pool"));
}

TEST(PoolTest, SomePoolsAreAlwaysThere) {
  World world = WithMachines();
  EXPECT_THAT(MachinesIn(world, "cpu-cluster"), ElementsAre("b1", "b2", "g"));
  EXPECT_THAT(MachinesIn(world, "gpu-cluster"), ElementsAre("g"));
  EXPECT_THAT(MachinesIn(world, ""), ElementsAre("b1", "b2", "g"));
  EXPECT_THAT(MachinesIn(world, "serverless"), ElementsAre("b1", "b2", "g"));
  EXPECT_THAT(Pools(world.state, world.options).Names(),
              ElementsAre("cpu-cluster", "gpu-cluster", "own", "serverless"));
}

TEST(PoolTest, WhatAgentsDeclareComesBeforeWhatIsAlwaysThere) {
  World world = WithMachines();
  world.Connect(AMachine("declared").Pool("gpu-cluster"));
  EXPECT_THAT(MachinesIn(world, "gpu-cluster"), ElementsAre("declared"));
}

TEST(PoolTest, WithoutASelectorItIsTheDefaultPoolOrWhatAgentsDeclare) {
  World world = WithMachines();
  Put(world, "shared", "");
  Put(world, "own", "");
  EXPECT_THAT(MachinesIn(world, "shared"), ElementsAre("b1", "b2", "g"));
  EXPECT_THAT(MachinesIn(world, "own"), ElementsAre("own"));
}

TEST(PoolTest, WithoutGpusTheEmbeddedStackRunsWhatNamesAGpuCluster) {
  World world;
  world.options.unknown_pool_is_default = true;
  world.Connect(AMachine("laptop"));
  EXPECT_THAT(MachinesIn(world, "gpu-cluster"), ElementsAre("laptop"));
  EXPECT_THAT(MachinesIn(world, "whatever"), ElementsAre("laptop"));
}

TEST(PoolTest, StepsBeyondItsLimitWaitAndSayWhy) {
  World world = WithMachines();
  PoolLimits limits;
  limits.running_steps = 1;
  Put(world, "zone-b", "zone == b", limits);
  world.Submit("r", APipeline({AStep("a").Pool("zone-b"), AStep("b").Pool("zone-b"), AStep("c")}));
  EXPECT_EQ(world.StateOf("r", "a"), "Assigned");
  EXPECT_EQ(world.StateOf("r", "b"), "Queued");
  EXPECT_EQ(world.StateOf("r", "c"), "Assigned");
  EXPECT_EQ(ExplainWaiting(world.state, world.KeyOf("r", "b"), world.options),
            "pool 'zone-b' is at its limits (1 running step); in use: 1 running step, 1 CPU");
  const MachineId on = world.In<Assigned>("r", "a").placement.machine;
  world.Report(world.state.machines.at(on).facts.name, {Succeeds(world.Attempt("r", "a"))});
  EXPECT_EQ(world.StateOf("r", "b"), "Assigned");
}

TEST(PoolTest, EachLimitHolds) {
  const std::vector<std::pair<PoolLimits, bool>> table = {
      {{0, std::nullopt, std::nullopt, std::nullopt}, false},
      {{1, std::nullopt, std::nullopt, std::nullopt}, true},
      {{std::nullopt, 999, std::nullopt, std::nullopt}, false},
      {{std::nullopt, 1000, std::nullopt, std::nullopt}, true},
      {{std::nullopt, std::nullopt, kGiB - 1, std::nullopt}, false},
      {{std::nullopt, std::nullopt, kGiB, std::nullopt}, true},
      {{std::nullopt, std::nullopt, std::nullopt, 0}, false},
      {{std::nullopt, std::nullopt, std::nullopt, 999}, false},
      {{std::nullopt, std::nullopt, std::nullopt, 1000}, true}};
  for (const auto& [limits, runs] : table) {
    World world;
    world.Connect(AMachine("g").Gpus(2));
    Put(world, "p", "", limits);
    world.Submit("r", APipeline({AStep("a").Pool("p").Memory(kGiB).Gpus(1)}));
    EXPECT_EQ(world.StateOf("r", "a"), runs ? "Assigned" : "Queued");
  }
}

TEST(PoolTest, WhatItsLimitsCanNeverHoldIsRefused) {
  World world = WithMachines();
  PoolLimits limits;
  limits.cpu_millis = 500;
  Put(world, "small", "", limits);
  const absl::Status status =
      CheckSatisfiable(world.state, *APlan({AStep("a").Pool("small")}), world.options);
  EXPECT_EQ(std::string(status.message()),
            "jobs.a: needs 1 CPU, and the limits of pool 'small' are 0.5 CPUs");
}

TEST(PoolTest, SmallStepsDoNotStarveALargeOneOfItsPool) {
  World world;
  world.Connect(AMachine("m").Cpus(64));
  PoolLimits limits;
  limits.cpu_millis = 4000;
  Put(world, "p", "", limits);
  world.Submit("first", APipeline({AStep("a").Pool("p").Cpus(2000)}));
  world.Submit("large", APipeline({AStep("a").Pool("p").Cpus(4000)}));
  world.Submit("small", APipeline({AStep("a").Pool("p").Cpus(1000)}));
  EXPECT_EQ(world.StateOf("small", "a"), "Queued");
  world.Report("m", {Succeeds(world.Attempt("first", "a"))});
  EXPECT_EQ(world.StateOf("large", "a"), "Assigned");
}

TEST(PoolTest, ALowerLimitStopsNothing) {
  World world = WithMachines();
  Put(world, "p", "");
  world.Submit("r", APipeline({AStep("a").Pool("p"), AStep("b").Pool("p").After("a")}));
  PoolLimits limits;
  limits.running_steps = 0;
  Put(world, "p", "", limits);
  EXPECT_EQ(world.StateOf("r", "a"), "Assigned");
}

TEST(PoolTest, AnUnknownPoolIsNamedWithTheNearest) {
  World world = WithMachines();
  const absl::Status status =
      CheckSatisfiable(world.state, *APlan({AStep("a").Pool("gpu-clster")}), world.options);
  EXPECT_EQ(std::string(status.message()),
            "jobs.a: there is no pool 'gpu-clster' (did you mean 'gpu-cluster'?); the pools are "
            "cpu-cluster, gpu-cluster, own, serverless");
}

TEST(PoolTest, APoolThatStepsWaitForIsNotDeleted) {
  World world = WithMachines();
  PoolLimits limits;
  limits.running_steps = 1;
  Put(world, "p", "", limits);
  world.Submit("r", APipeline({AStep("a").Pool("p"), AStep("b").Pool("p")}));
  world.Submit("s", APipeline({AStep("a"), AStep("later").Pool("p").After("a")}));
  Delete(world, "p");
  const absl::Status refused = PoolAnswer(world);
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("of r, s; it was not deleted"));
  EXPECT_THAT(world.last.changes, IsEmpty());
  world.Cancel("r");
  world.Cancel("s");
  Delete(world, "p");
  EXPECT_EQ(PoolAnswer(world), absl::OkStatus());
  Delete(world, "p");
  EXPECT_EQ(PoolAnswer(world).code(), absl::StatusCode::kNotFound);
}

TEST(PoolTest, OnlyWhatIsRegisteredIsUpdatedAndDeleted) {
  World world = WithMachines();
  Delete(world, "own");
  EXPECT_THAT(std::string(PoolAnswer(world).message()), HasSubstr("'own' is not registered"));
  world.Turn({PoolPut{kPoolReply, "gpu-cluster", "", {}, "", "ann", true}});
  EXPECT_EQ(PoolAnswer(world).code(), absl::StatusCode::kNotFound);
}

TEST(PoolTest, ARestartRemembersPools) {
  World world = WithMachines();
  Put(world, "zone-b", "zone == b");
  world.Restart();
  EXPECT_THAT(MachinesIn(world, "zone-b"), ElementsAre("b1", "b2", "own"));
}

}  // namespace
}  // namespace potok::server
