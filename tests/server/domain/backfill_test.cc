// What is kept for the first step that fits nowhere, and who goes around it.
#include <map>
#include <random>
#include <set>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "server/domain/placement.h"
#include "server/domain/reservation.h"
#include "tests/server/domain/builders.h"

namespace potok::server {
namespace {

Step Limited(Step step, std::int64_t timeout_seconds) {
  step.timeout_seconds = timeout_seconds;
  return step;
}

// A step of that many CPUs runs on the machine, with this limit (0: none).
void Occupy(World& world, const std::string& run, std::int32_t cpus, std::int64_t timeout_seconds) {
  world.Submit(run, APipeline({Limited(AStep("a").Cpus(1000 * cpus), timeout_seconds)}));
  const AttemptKey key = world.Attempt(run, "a");
  const MachineId machine = PlacementOf(world.StepOf(run, "a").state())->machine;
  world.Report(world.state.machines.at(machine).facts.name, {Starts(key)});
}

std::string Small(World& world, std::int64_t timeout_seconds) {
  static int number = 0;
  const std::string run = fmt::format("small{}", ++number);
  world.Submit(run, APipeline({Limited(AStep("a"), timeout_seconds)}));
  return world.StateOf(run, "a");
}

TEST(BackfillTest, WhoEndsBeforeTheFirstCanBeginGoesAroundIt) {
  World world;
  world.Connect(AMachine("m").Cpus(2));
  Occupy(world, "busy", 1, 100);
  world.Submit("large", APipeline({AStep("a").Cpus(2000)}));
  EXPECT_EQ(Small(world, 0), "Queued");
  EXPECT_EQ(Small(world, 101), "Queued");
  EXPECT_EQ(Small(world, 100), "Assigned");
}

TEST(BackfillTest, TheLimitOfWhatRunsCountsFromWhenItBegan) {
  World world;
  world.Connect(AMachine("m").Cpus(2));
  Occupy(world, "busy", 1, 100);
  world.Submit("large", APipeline({AStep("a").Cpus(2000)}));
  world.now += absl::Seconds(60);
  EXPECT_EQ(Small(world, 41), "Queued");
  EXPECT_EQ(Small(world, 40), "Assigned");
}

TEST(BackfillTest, WhatFitsBesideItNeedsNoLimit) {
  World world;
  world.Connect(AMachine("m").Cpus(4));
  Occupy(world, "busy", 2, 100);
  world.Submit("large", APipeline({AStep("a").Cpus(3000)}));
  EXPECT_EQ(Small(world, 0), "Assigned");
  EXPECT_EQ(Small(world, 0), "Queued");  // one more would be in its way
  EXPECT_EQ(Small(world, 50), "Assigned");
}

TEST(BackfillTest, RoomIsKeptWhereItIsSoonest) {
  World world;
  world.Connect(AMachine("late").Cpus(2));
  Occupy(world, "one", 1, 200);
  world.Connect(AMachine("soon").Cpus(2).Memory(64 * kGiB));
  Occupy(world, "fill", 1, 0);
  Occupy(world, "two", 2, 100);
  world.Report("late", {Succeeds(world.Attempt("fill", "a"))});
  world.Submit("large", APipeline({AStep("a").Cpus(2000)}));
  // It is kept on `soon`, which has nothing free now, so that the other is open to all.
  EXPECT_EQ(Small(world, 0), "Assigned");
}

TEST(BackfillTest, WithoutLimitsNobodyGoesAroundWhatIsNearest) {
  World world;
  world.Connect(AMachine("m").Cpus(2));
  Occupy(world, "busy", 1, 0);
  world.Submit("large", APipeline({AStep("a").Cpus(2000)}));
  EXPECT_EQ(Small(world, 10), "Queued");
}

TEST(ExplainTest, GroupsMachinesByWhatTheyLackAndTellsWhenThereIsRoom) {
  World world;
  for (const char* name : {"m1", "m2", "m3"}) world.Connect(AMachine(name).Cpus(2));
  Occupy(world, "one", 1, 300);
  Occupy(world, "two", 2, 100);
  Occupy(world, "three", 2, 200);
  world.Submit("large", APipeline({AStep("a").Cpus(2000)}));
  const StepKey large = world.KeyOf("large", "a");
  EXPECT_THAT(ExplainMachines(world.state, large, world.options),
              testing::ElementsAre("2 machines: 0 CPUs free of 2, needs 2",
                                   "1 machine: 1 CPUs free of 2, needs 2"));
  EXPECT_THAT(ExplainOpening(world.state, large, world.options, world.now),
              testing::StartsWith("by the time limits of what runs there is room on m2 at "));
  world.Disconnect("m2");
  EXPECT_THAT(ExplainMachines(world.state, large, world.options),
              testing::Contains("1 machine: not connected"));
}

TEST(ExplainTest, SaysNothingOfTimeWhereNoLimitsDo) {
  World world;
  world.Connect(AMachine("m").Cpus(1));
  Occupy(world, "one", 1, 0);
  world.Submit("r", APipeline({AStep("a")}));
  EXPECT_EQ(ExplainOpening(world.state, world.KeyOf("r", "a"), world.options, world.now), "");
}

// A machine of 8 GPUs in simulated time: each attempt takes a random part of its limit.
class SimulatedTime {
 public:
  SimulatedTime(std::uint32_t seed, std::int64_t limit) : random_(seed), limit_(limit) {
    MachineChanged machine = AMachine("m").Cpus(64).Gpus(8);
    Turn({MachineHello{1, machine, {}, {}}});
  }
  void Submit(const std::string& run, std::vector<Step> steps) {
    Turn({RunSubmitted{1, run, run, {}, APlan(std::move(steps)), "someone"}});
  }
  // Until the next attempt has ended.
  void Advance() {
    const auto next = ends_.begin();
    now_ = next->first;
    const AttemptKey key = next->second;
    ends_.erase(next);
    Turn({MachineReported{1, "m", {Succeeds(key)}}});
  }
  absl::Time now() const { return now_; }
  bool HasBegun(RunId run) const { return begun_.contains(run); }

 private:
  void Turn(const std::vector<Event>& events) {
    const Decision decision = DecideTurn(state_, events, now_, {});
    std::vector<server::Report> started;
    for (const Effect& effect : decision.effects) {
      const auto* sent = std::get_if<SendOrder>(&effect);
      const auto* order = sent == nullptr ? nullptr : std::get_if<StartOrder>(&sent->order);
      if (order == nullptr) continue;
      begun_.insert(order->key.run);
      started.push_back(Starts(order->key));
      const auto milliseconds =
          static_cast<std::int64_t>(1 + random_() % (1000 * static_cast<std::uint64_t>(limit_)));
      ends_.emplace(now_ + absl::Milliseconds(milliseconds), order->key);
    }
    if (!started.empty()) Turn({MachineReported{1, "m", started}});
  }

  std::mt19937 random_;
  const std::int64_t limit_;
  absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
  State state_;
  std::multimap<absl::Time, AttemptKey> ends_;
  std::set<RunId> begun_;
};

TEST(BackfillTest, AStepOfFourGpusAmongTenThousandOfOneBeginsWithinTheirLimit) {
  constexpr std::int64_t kLimit = 60;
  std::vector<Step> small;
  for (int i = 0; i < 10'000; ++i) {
    small.push_back(Limited(AStep(fmt::format("s{}", i)).Gpus(1), kLimit));
  }
  for (std::uint32_t seed = 0; seed < 5; ++seed) {
    SimulatedTime cluster(seed, kLimit);
    cluster.Submit("small", small);
    for (int i = 0; i < 100; ++i) cluster.Advance();
    const absl::Time asked = cluster.now();
    cluster.Submit("large", {Limited(AStep("a").Gpus(4).Priority(100), kLimit)});
    while (!cluster.HasBegun(2)) cluster.Advance();
    EXPECT_LE(cluster.now() - asked, absl::Seconds(kLimit)) << "seed " << seed;
  }
}

}  // namespace
}  // namespace potok::server
