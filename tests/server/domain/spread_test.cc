// Pools that spread their steps over their machines.
#include "gmock/gmock.h"
#include "server/domain/free_shares.h"
#include "tests/server/domain/builders.h"

namespace potok::server {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

class SpreadTest : public ::testing::Test {
 protected:
  void Put(const std::string& pool, bool spread, const std::string& selector = "rack == a") {
    PoolPut put;
    put.name = pool;
    put.selector = selector;
    put.spread = spread;
    world_.Turn({put});
  }
  // The machines of so many steps, in order.
  std::vector<std::string> Run(const AStep& step, int count) {
    std::vector<Step> steps;
    for (int i = 0; i < count; ++i) {
      Step one = step;
      one.name = "s" + std::to_string(i);
      steps.push_back(one);
    }
    const std::string run = "r" + std::to_string(++runs_);
    world_.Submit(run, APipeline(steps));
    std::vector<std::string> machines;
    for (int i = 0; i < count; ++i) {
      const StepRecord& placed = world_.StepOf(run, "s" + std::to_string(i));
      const Placement* placement = PlacementOf(placed.state());
      machines.push_back(
          placement == nullptr ? "" : world_.state.machines.at(placement->machine).facts.name);
    }
    return machines;
  }
  static AMachine Host(const std::string& name) { return AMachine(name).Label("rack", "a"); }

  World world_;
  int runs_ = 0;
};

TEST_F(SpreadTest, EachStepGoesToTheMachineWithTheLargestFreeShare) {
  world_.Connect(Host("m1"));
  world_.Connect(Host("m2"));
  world_.Connect(Host("m3"));
  Put("p", true);
  EXPECT_THAT(Run(AStep("").Pool("p").Memory(kGiB), 4), ElementsAre("m1", "m2", "m3", "m1"));
  EXPECT_THAT(Run(AStep("").Pool("p").Memory(kGiB), 2), ElementsAre("m2", "m3"));
}

TEST_F(SpreadTest, TheDefaultPoolSpreadsUnderAllItsNames) {
  world_.Connect(Host("m1"));
  world_.Connect(Host("m2"));
  Put("default", true, "");
  EXPECT_THAT(Run(AStep("").Memory(kGiB), 2), ElementsAre("m1", "m2"));
  EXPECT_THAT(Run(AStep("").Pool("cpu-cluster").Memory(kGiB), 2), ElementsAre("m1", "m2"));
}

TEST_F(SpreadTest, WithoutItTheFullestIsTaken) {
  world_.Connect(Host("m1"));
  world_.Connect(Host("m2"));
  Put("p", false);
  EXPECT_THAT(Run(AStep("").Pool("p").Memory(kGiB), 3), ElementsAre("m1", "m1", "m1"));
}

TEST_F(SpreadTest, AShareIsOfWhatTheMachineHas) {
  world_.Connect(Host("small").Memory(8 * kGiB));
  world_.Connect(Host("large").Memory(64 * kGiB).Cpus(64));
  Put("p", true);
  EXPECT_THAT(Run(AStep("").Pool("p").Memory(4 * kGiB), 3), ElementsAre("small", "large", "large"));
}

TEST_F(SpreadTest, StepsWithGpusGoByTheShareOfGpus) {
  world_.Connect(Host("m1").Gpus(2));
  world_.Connect(Host("m2").Gpus(8));
  Put("p", true);
  EXPECT_THAT(Run(AStep("").Pool("p").Gpus(1).Cpus(100), 4), ElementsAre("m1", "m2", "m2", "m2"));
}

TEST_F(SpreadTest, TheEmptiestThatDoesNotFitIsPassedOver) {
  world_.Connect(Host("m1"));
  world_.Connect(Host("m2").Gpus(2));
  Put("p", true);
  Run(AStep("").Pool("p").Memory(kGiB).Gpus(1), 1);
  EXPECT_THAT(Run(AStep("").Pool("p").Memory(kGiB).Gpus(1), 1), ElementsAre("m2"));
}

TEST_F(SpreadTest, ItBeginsAndEndsWithThePoolsSetting) {
  world_.Connect(Host("m1"));
  world_.Connect(Host("m2"));
  Put("p", false);
  EXPECT_THAT(Run(AStep("").Pool("p").Memory(kGiB), 1), ElementsAre("m1"));
  Put("p", true);
  EXPECT_THAT(Run(AStep("").Pool("p").Memory(kGiB), 1), ElementsAre("m2"));
  Put("p", false);
  Run(AStep("").Pool("p").Memory(2 * kGiB), 1);
  EXPECT_THAT(Run(AStep("").Pool("p").Memory(kGiB), 1), ElementsAre("m1"));
}

TEST_F(SpreadTest, OtherPoolsOfTheSameMachinesPack) {
  world_.Connect(Host("m1"));
  world_.Connect(Host("m2"));
  Put("p", true);
  Put("q", false);
  EXPECT_THAT(Run(AStep("").Pool("q").Memory(kGiB), 2), ElementsAre("m1", "m1"));
  EXPECT_THAT(Run(AStep("").Pool("p").Memory(kGiB), 1), ElementsAre("m2"));
}

TEST(FreeSharesTest, OrdersByThousandthsOfTheScarcerAndForgets) {
  FreeShares shares;
  shares.Put(1, {4000, 100, 0}, {4000, 50, 0});
  shares.Put(2, {4000, 100, 2000}, {3000, 100, 2000});
  shares.Put(3, {4000, 100, 0}, {4000, -5, 0});
  EXPECT_THAT(shares.by_room(), ElementsAre(Pair(-750, 2), Pair(-500, 1), Pair(0, 3)));
  EXPECT_EQ(shares.by_gpus().begin()->second, 2U);
  shares.Put(2, {4000, 100, 2000}, {100, 100, 2000});
  EXPECT_EQ(shares.by_room().begin()->second, 1U);
  for (const MachineId machine : {1, 2, 3}) shares.Remove(machine);
  EXPECT_TRUE(shares.empty() && shares.by_room().empty() && shares.by_gpus().empty());
}

}  // namespace
}  // namespace potok::server
