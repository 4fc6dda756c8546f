// What a pool says of images: which machines its steps need then, and what their orders say.
#include "gmock/gmock.h"
#include "server/domain/placement.h"
#include "server/domain/pools.h"
#include "tests/server/domain/builders.h"

namespace potok::server {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::SizeIs;

void PutImages(World& world, const std::string& pool, PoolImages images) {
  PoolPut put;
  put.name = pool;
  put.images = images;
  world.Turn({put});
}

// Both in the pool "p": a has sandboxes, b has containers and one CPU.
World WithMachines() {
  World world;
  world.Connect(AMachine("a").Pool("p").Runtimes({"host", "sandbox"}));
  world.Connect(AMachine("b").Pool("p").Cpus(1).Runtimes({"host", "container"}));
  return world;
}

std::string MachineOf(const World& world, const std::string& run) {
  const Placement* placement = PlacementOf(world.StepOf(run, "a").state());
  return placement == nullptr ? "" : world.state.machines.at(placement->machine).facts.name;
}

AStep InPool() {
  return AStep("a").Pool("p");
}

TEST(ImagesTest, WhereImagesRunInContainersOnlyMachinesThatHaveThemAreChosen) {
  World world = WithMachines();
  PutImages(world, "p", PoolImages::kContainer);
  world.Submit("with", APipeline({InPool().Image("python:3.11")}));
  EXPECT_EQ(MachineOf(world, "with"), "b");
  ASSERT_THAT(world.Starts(), SizeIs(1));
  EXPECT_EQ(world.Starts()[0].images, PoolImages::kContainer);
  world.Submit("second", APipeline({InPool().Image("python:3.11")}));
  EXPECT_EQ(MachineOf(world, "second"), "");
  EXPECT_THAT(ExplainMachines(world.state, world.KeyOf("second", "a"), world.options),
              Contains(HasSubstr("without the containers in which its pool runs images")));
  // Without an image there is nothing to run in a container.
  world.Submit("without", APipeline({InPool()}));
  EXPECT_EQ(MachineOf(world, "without"), "a");
}

TEST(ImagesTest, APoolWithoutSuchAMachineRefusesStepsWithImages) {
  World world;
  world.Connect(AMachine("a").Runtimes({"host"}));
  PutImages(world, kDefaultPool, PoolImages::kContainer);
  const auto plan = APlan({AStep("a").Image("python:3.11"), AStep("b")});
  const absl::Status refused = CheckSatisfiable(world.state, *plan, world.options);
  EXPECT_EQ(std::string(refused.message()),
            "jobs.a: has an environment with an image, which pool 'default' runs in a container, "
            "and none of 1 machine can run commands so (container); start an agent there with "
            "--images=container, or see `potok machine show`");
  PutImages(world, kDefaultPool, PoolImages::kHost);
  EXPECT_TRUE(CheckSatisfiable(world.state, *plan, world.options).ok());
}

TEST(ImagesTest, WhatAsksForTheContainerNeedsItWhateverThePoolSays) {
  World world = WithMachines();
  PutImages(world, "p", PoolImages::kHost);
  world.Submit("r", APipeline({InPool().Image("python:3.11").InContainer()}));
  EXPECT_EQ(MachineOf(world, "r"), "b");
}

// A container would be isolation enough, were it not for the pool.
TEST(ImagesTest, WhereImagesRunOnTheMachineIsolationNeedsASandbox) {
  World world = WithMachines();
  world.Connect(AMachine("a").Pool("p").Cpus(1).Runtimes({"host"}));
  PutImages(world, "p", PoolImages::kHost);
  const auto plan = APlan({InPool().Image("python:3.11").Isolated()});
  EXPECT_THAT(std::string(CheckSatisfiable(world.state, *plan, world.options).message()),
              HasSubstr("asks for isolation or no network, and none of 2 machines"));
  PutImages(world, "p", PoolImages::kAsAgents);
  EXPECT_TRUE(CheckSatisfiable(world.state, *plan, world.options).ok());
}

TEST(ImagesTest, APoolThatSaysSomethingElseMovesWhatWaits) {
  World world;
  world.Connect(AMachine("a").Pool("p").Cpus(1).Runtimes({"host"}));
  world.Submit("busy", APipeline({InPool()}));
  world.Submit("r", APipeline({InPool().Image("python:3.11")}));
  PutImages(world, "p", PoolImages::kContainer);
  world.Cancel("busy");
  world.Report("a", {Stops(world.Attempt("busy", "a"))});
  EXPECT_EQ(world.StateOf("r", "a"), "Queued");
  EXPECT_THAT(ExplainWaiting(world.state, world.KeyOf("r", "a"), world.options),
              HasSubstr("which pool 'p' runs in a container"));
  PutImages(world, "p", PoolImages::kAsAgents);
  EXPECT_EQ(MachineOf(world, "r"), "a");
  EXPECT_EQ(world.Starts().at(0).images, PoolImages::kAsAgents);
}

}  // namespace
}  // namespace potok::server
