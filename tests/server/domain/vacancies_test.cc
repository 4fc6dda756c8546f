// Where steps go, and that what is known of free room stays true whatever happens to machines.
#include "server/domain/vacancies.h"

#include <random>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "server/domain/placement.h"
#include "tests/server/domain/builders.h"

namespace potok::server {
namespace {

using testing::IsEmpty;

// "m1", or "m1:0,1" with GPUs; empty while it waits.
std::string Where(const World& world, const std::string& step) {
  const Placement* placement = PlacementOf(world.StepOf("r", step).state());
  if (placement == nullptr) return "";
  std::string text = world.state.machines.at(placement->machine).facts.name;
  if (!placement->gpus.empty()) text += fmt::format(":{}", fmt::join(placement->gpus, ","));
  return text;
}

TEST(VacanciesTest, StepsWithoutGpusLeaveMachinesThatHaveSomeToOthers) {
  World world;
  world.Connect(AMachine("gpu").Cpus(4).Memory(8 * kGiB).Gpus(1));
  world.Connect(AMachine("large").Cpus(64).Memory(512 * kGiB));
  world.Submit("r", APipeline({AStep("a").Memory(4 * kGiB).Cpus(4000)}));
  EXPECT_EQ(Where(world, "a"), "large");
}

TEST(VacanciesTest, SharesOfGpusFillOneUpBeforeTheyBreakAnother) {
  World world;
  world.Connect(AMachine("one").Cpus(16).Gpus(2));
  world.Connect(AMachine("two").Cpus(16).Gpus(2));
  world.Submit("r",
               APipeline({AStep("half").GpuShare(500),
                          AStep("quarter").GpuShare(250),
                          AStep("pair").Gpus(2),
                          AStep("rest").GpuShare(250)}));
  const std::string half = Where(world, "half");
  EXPECT_EQ(Where(world, "quarter"), half);
  EXPECT_EQ(Where(world, "rest"), half);
  EXPECT_NE(Where(world, "pair"), "");
}

TEST(VacanciesTest, AScarceModelIsKeptForWhoAsksForIt) {
  World world;
  std::vector<Step> steps = {AStep("any").Gpus(1)};
  for (int i = 0; i < 3; ++i) {
    steps.push_back(AStep(fmt::format("a100-{}", i)).Gpus(1).GpuModel("A100"));
  }
  world.Submit("r", APipeline(steps));
  // Both at once, so that there is a choice: a turn places only when all its events were heard.
  MachineChanged a100 = AMachine("a100").Cpus(16).Gpu("NVIDIA A100-SXM4-80GB", 80 * kGiB);
  MachineChanged t4 = AMachine("t4").Cpus(16).Gpu("Tesla T4", 16 * kGiB);
  world.Turn({MachineHello{101, a100, {}, {}}, MachineHello{102, t4, {}, {}}});
  EXPECT_EQ(Where(world, "any"), "t4:0");
  EXPECT_EQ(Where(world, "a100-0"), "a100:0");
}

TEST(VacanciesTest, AMachineThatComesBackAsAnotherIsSeenAsThat) {
  World world;
  world.Connect(AMachine("m").Cpus(1).Memory(kGiB));
  world.Submit("r", APipeline({AStep("a").Memory(8 * kGiB), AStep("b").Where("zone == \"b\"")}));
  EXPECT_EQ(Where(world, "a"), "");
  world.Connect(AMachine("m").Cpus(1).Memory(16 * kGiB));
  EXPECT_EQ(Where(world, "a"), "m");
  world.Connect(AMachine("m").Cpus(2).Memory(16 * kGiB).Label("zone", "b"),
                {world.Attempt("r", "a")});
  EXPECT_EQ(Where(world, "b"), "m");
}

TEST(VacanciesTest, APoolThatIsMadeLaterIsSeen) {
  World world;
  world.Connect(AMachine("m").Label("zone", "b"));
  world.Submit("r", APipeline({AStep("a").Pool("zone-b")}));
  EXPECT_EQ(Where(world, "a"), "");
  world.Turn({PoolPut{9, "zone-b", "zone == \"b\"", {}, "{}", "ann"}});
  EXPECT_EQ(Where(world, "a"), "m");
}

TEST(VacanciesTest, NamedResourcesAreGivenOnceEach) {
  World world;
  world.Connect(AMachine("one").Cpus(8).Named("fpga", 1));
  world.Connect(AMachine("two").Cpus(8).Named("fpga", 1));
  world.Connect(AMachine("none").Cpus(1));
  world.Submit("r",
               APipeline({AStep("a").Named("fpga", 1),
                          AStep("b").Named("fpga", 1),
                          AStep("c").Named("fpga", 1),
                          AStep("plain")}));
  EXPECT_EQ(Where(world, "a"), "one");
  EXPECT_EQ(Where(world, "b"), "two");
  EXPECT_EQ(Where(world, "c"), "");
  EXPECT_NE(Where(world, "plain"), "");
  world.Report("one", {Starts(world.Attempt("r", "a")), Succeeds(world.Attempt("r", "a"))});
  EXPECT_EQ(Where(world, "c"), "one");
}

TEST(VacanciesTest, SeveralGpusMayBeOfSeveralKindsWhereThereIsNoOtherWay) {
  World world;
  world.Connect(AMachine("mixed").Cpus(8).Gpu("A100", 80 * kGiB).Gpu("T4", 16 * kGiB));
  world.Submit("r", APipeline({AStep("a").Gpus(2)}));
  EXPECT_EQ(Where(world, "a"), "mixed:0,1");
}

TEST(VacanciesTest, ACopyKnowsWhatIsFree) {
  World world;
  world.Connect(AMachine("m").Cpus(1));
  world.Submit("r", APipeline({AStep("a"), AStep("b")}));
  State copy = world.state;
  EXPECT_THAT(Place(copy, world.options, world.now), IsEmpty());
}

// Machines come, go, change and are cordoned while steps of many shapes come and end.
class History {
 public:
  explicit History(std::uint64_t seed) : random_(seed) {}

  void Go() {
    switch (Below(7)) {
      case 0:
      case 1:
        return Submit();
      case 2:
      case 3:
      case 4:
        return Progress();
      case 5:
        return Connect();
      default:
        return Operate();
    }
  }

  World world;

 private:
  int Below(int bound) { return static_cast<int>(random_() % static_cast<std::uint64_t>(bound)); }
  std::string AnyMachine() { return fmt::format("m{}", Below(6)); }

  void Submit() {
    std::vector<Step> steps;
    for (int i = 0; i <= Below(5); ++i) {
      AStep step(fmt::format("s{}", i));
      step.Cpus(500 * (1 + Below(6))).Memory(kGiB * Below(9));
      if (Below(3) == 0) step.GpuShare(250 * (1 + Below(3)));
      if (Below(3) == 0) step.Gpus(1 + Below(2));
      if (Below(6) == 0) step.Named("fpga", 1);
      if (Below(6) == 0) step.Where("zone == \"b\"");
      if (Below(6) == 0) step.GpuModel("T4");
      if (Below(6) == 0) step.Pool("gpu-cluster");
      steps.push_back(step);
    }
    world.Submit(fmt::format("r{}", runs_++), APipeline(steps));
  }

  // An attempt begins or ends.
  void Progress() {
    for (const auto& [id, machine] : world.state.machines) {
      if (machine.holding.empty() || machine.session == 0 || Below(2) == 0) continue;
      const AttemptKey key = *machine.holding.begin();
      const StepState& step = world.state.runs.at(key.run).steps[key.index].state();
      const bool runs = std::holds_alternative<Running>(step);
      return void(world.Report(machine.facts.name, {runs ? Succeeds(key) : Starts(key)}));
    }
  }

  void Connect() {
    const std::string name = AnyMachine();
    AMachine machine(name);
    machine.Cpus(1 + Below(8)).Memory(kGiB * (4 + Below(28)));
    for (int i = 0; i < Below(3); ++i) machine.Gpu(Below(2) == 0 ? "T4" : "A100", 16 * kGiB);
    if (Below(3) == 0) machine.Named("fpga", 1);
    if (Below(2) == 0) machine.Label("zone", "b");
    const auto known = world.state.machine_by_name.find(name);
    if (known != world.state.machine_by_name.end()) {
      const MachineRecord& record = world.state.machines.at(known->second);
      const std::vector<AttemptKey> live(record.holding.begin(), record.holding.end());
      if (!live.empty()) {  // one that holds something becomes no smaller
        MachineChanged facts = record.facts;
        facts.labels = facts.agent_labels;
        if (Below(2) == 0) facts.capacity.cpu_millis += 1000;
        world.Connect(facts, live);
        return;
      }
    }
    world.Connect(machine);
  }

  void Operate() {
    const std::string name = AnyMachine();
    if (!world.state.machine_by_name.contains(name)) return;
    switch (Below(4)) {
      case 0:
        world.Disconnect(name);
        break;
      case 1:
        world.Turn({MachinesCordoned{9, {name}, false, absl::InfiniteDuration(), "ann", ""}});
        break;
      case 2:
        world.Turn({MachinesUncordoned{9, {name}, "ann", ""}});
        break;
      default:
        world.Turn({MachinesLabeled{9, {name}, {{"zone", Below(2) == 0 ? "b" : "c"}}, "ann", ""}});
        break;
    }
  }

  std::mt19937_64 random_;
  int runs_ = 0;
};

TEST(VacanciesTest, NothingThatHasRoomIsOverlookedWhateverHappened) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    History history(seed);
    for (int turn = 0; turn < 120; ++turn) {
      history.Go();
      State copy = history.world.state;
      ASSERT_THAT(Place(copy, history.world.options, history.world.now), IsEmpty())
          << "seed " << seed << ", turn " << turn;
    }
  }
}

}  // namespace
}  // namespace potok::server
