// What a step may ask for beside memory and CPUs: shares, models and memory of GPUs, disk, counted
// things, and expressions over labels.
#include "server/domain/fit.h"

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "server/domain/placement.h"
#include "tests/server/domain/builders.h"

namespace potok::server {
namespace {

using testing::ElementsAre;
using testing::Pair;

// Where each step of run "r" is: "a@m1:0", or "a" while it waits.
std::vector<std::string> PlacesIn(const World& world) {
  std::vector<std::string> places;
  const RunRecord& run = world.state.runs.begin()->second;
  for (std::uint32_t i = 0; i < run.steps.size(); ++i) {
    std::string text = run.plan->NameOf(i);
    if (const Placement* placement = PlacementOf(run.steps[i].state())) {
      text += "@" + world.state.machines.at(placement->machine).facts.name;
      if (!placement->gpus.empty()) text += fmt::format(":{}", fmt::join(placement->gpus, ","));
    }
    places.push_back(text);
  }
  return places;
}

std::vector<std::string> PlacesOf(const std::vector<MachineChanged>& machines,
                                  std::vector<Step> steps) {
  World world;
  for (const MachineChanged& machine : machines) world.Connect(machine);
  world.Submit("r", APipeline(std::move(steps)));
  return PlacesIn(world);
}

// What is said of a step that none of these machines could ever hold; empty if one could.
std::string NeverFits(const std::vector<MachineChanged>& machines, const AStep& step) {
  World world;
  for (const MachineChanged& machine : machines) world.Connect(machine);
  const absl::Status status = CheckSatisfiable(world.state, *APlan({step}), world.options);
  return std::string(status.message());
}

TEST(FitTest, SharesFillOneGpuBeforeTheNext) {
  EXPECT_THAT(PlacesOf({AMachine("m").Gpus(2)},
                       {AStep("a").GpuShare(500),
                        AStep("b").GpuShare(300),
                        AStep("c").GpuShare(300),
                        AStep("d").GpuShare(200)}),
              ElementsAre("a@m:0", "b@m:0", "c@m:1", "d@m:0"));
}

TEST(FitTest, AWholeGpuIsOneThatNobodyHasAShareOf) {
  EXPECT_THAT(PlacesOf({AMachine("m").Gpus(2)},
                       {AStep("share").GpuShare(1), AStep("a").Gpus(1), AStep("b").Gpus(1)}),
              ElementsAre("share@m:0", "a@m:1", "b"));
}

TEST(FitTest, HalvesOfTwoGpusAreNoWholeOne) {
  World world;
  world.Connect(AMachine("m").Cpus(8).Gpus(2));
  world.Submit("r",
               APipeline({AStep("a").GpuShare(600),
                          AStep("b").GpuShare(600),
                          AStep("whole").Gpus(1),
                          AStep("share").GpuShare(500)}));
  EXPECT_THAT(PlacesIn(world), ElementsAre("a@m:0", "b@m:1", "whole", "share"));
  EXPECT_EQ(ExplainWaiting(world.state, world.KeyOf("r", "whole"), world.options),
            "needs 1 GPU, 0 are free on m");
  EXPECT_EQ(ExplainWaiting(world.state, world.KeyOf("r", "share"), world.options),
            "needs 0.5 GPUs, at most 0.4 of one is free on m");
  EXPECT_THAT(world.Machine("m").gpus_held, ElementsAre(Pair(0, 600), Pair(1, 600)));
  world.Report("m", {Starts(world.Attempt("r", "a")), Fails(world.Attempt("r", "a"))});
  EXPECT_EQ(world.StateOf("r", "whole"), "Assigned");
  EXPECT_THAT(world.Machine("m").gpus_held, ElementsAre(Pair(0, 1000), Pair(1, 600)));
}

TEST(FitTest, AShareBehindAWaitingWholeGpuDoesNotStarveIt) {
  World world;
  world.Connect(AMachine("m").Cpus(8).Gpus(1));
  world.Submit(
      "r", APipeline({AStep("a").GpuShare(500), AStep("whole").Gpus(1), AStep("b").GpuShare(500)}));
  EXPECT_THAT(PlacesIn(world), ElementsAre("a@m:0", "whole", "b"));
}

// What goes around a step that waits for a GPU does so on another GPU, or is gone in time.
TEST(FitTest, ASharePastAWaitingWholeGpuLeavesThatGpuAlone) {
  World world;
  world.Connect(AMachine("m").Cpus(8).Gpus(2));
  const auto limited = [](const AStep& step, std::int64_t seconds) {
    Step with_limit = step;
    with_limit.timeout_seconds = seconds;
    return with_limit;
  };
  world.Submit("first",
               APipeline({limited(AStep("a").GpuShare(600), 60), AStep("b").GpuShare(600)}));
  EXPECT_THAT(PlacesIn(world), ElementsAre("a@m:0", "b@m:1"));
  world.Submit("r",
               APipeline({AStep("whole").Gpus(1),
                          AStep("c").GpuShare(400),
                          AStep("late").GpuShare(300),
                          limited(AStep("soon").GpuShare(200), 30)}));
  EXPECT_EQ(world.StateOf("r", "whole"), "Queued");
  EXPECT_THAT(world.In<Assigned>("r", "c").placement.gpus, ElementsAre(1));
  EXPECT_EQ(world.StateOf("r", "late"), "Queued");
  EXPECT_THAT(world.In<Assigned>("r", "soon").placement.gpus, ElementsAre(0));
}

TEST(FitTest, ModelAndMemoryOfEachGpuCount) {
  const AMachine mixed = AMachine("m")
                             .Cpus(8)
                             .Gpu("Tesla T4", 16 * kGiB)
                             .Gpu("NVIDIA A100-SXM4-80GB", 80 * kGiB)
                             .Gpu("NVIDIA H100", 80 * kGiB);
  EXPECT_THAT(PlacesOf({mixed},
                       {AStep("a").Gpus(1).GpuModel("A100").GpuModel("H100"),
                        AStep("b").Gpus(1).GpuMemory(40 * kGiB),
                        AStep("c").GpuShare(500).GpuMemory(40 * kGiB),
                        AStep("d").GpuShare(500)}),
              ElementsAre("a@m:1", "b@m:2", "c", "d@m:0"));
}

TEST(FitTest, TheGpuWithTheLeastMemoryIsTakenByWhoDoesNotCare) {
  EXPECT_THAT(PlacesOf({AMachine("m").Gpu("A100", 80 * kGiB).Gpu("T4", 16 * kGiB)},
                       {AStep("any").Gpus(1), AStep("big").Gpus(1).GpuModel("a100")}),
              ElementsAre("any@m:1", "big@m:0"));
}

TEST(FitTest, DiskAndCountedThingsAreHeldAndGivenBack) {
  World world;
  world.Connect(AMachine("m").Cpus(8).Disk(100 * kGiB).Named("fpga", 2));
  world.Submit("r",
               APipeline({AStep("a").Named("fpga", 2),
                          AStep("b").Named("fpga", 1),
                          AStep("c").Disk(80 * kGiB),
                          AStep("d").Disk(30 * kGiB)}));
  EXPECT_THAT(PlacesIn(world), ElementsAre("a@m", "b", "c@m", "d"));
  EXPECT_EQ(ExplainWaiting(world.state, world.KeyOf("r", "b"), world.options),
            "needs 1 fpga, 0 are free on m");
  EXPECT_EQ(ExplainWaiting(world.state, world.KeyOf("r", "d"), world.options),
            "needs 30 GiB disk, 20 GiB is free on m");
  world.Report("m", {Starts(world.Attempt("r", "a")), Fails(world.Attempt("r", "a"))});
  EXPECT_EQ(world.StateOf("r", "b"), "Assigned");
  EXPECT_EQ(NamedOf(world.Machine("m").reserved, "fpga"), 1);
}

TEST(FitTest, AnExpressionChoosesAmongMachinesByLabelsAndByWhatTheyAre) {
  const std::vector<MachineChanged> machines = {
      AMachine("old").Label("driver", "470.82.01").Gpus(1).Named("x", 1),
      AMachine("new").Label("driver", "535.104.05").Gpus(1).Cpus(8).Memory(64 * kGiB)};
  EXPECT_THAT(PlacesOf(machines, {AStep("a").Where("driver >= 535")}), ElementsAre("a@new"));
  EXPECT_THAT(PlacesOf(machines, {AStep("a").Where("driver < 535 || cpus > 8")}),
              ElementsAre("a@old"));
  EXPECT_THAT(PlacesOf(machines, {AStep("a").Where("cpus == 8 && memory == 64GiB")}),
              ElementsAre("a@new"));
  EXPECT_THAT(PlacesOf(machines, {AStep("a").Where("name != old && gpu.model == A100")}),
              ElementsAre("a@new"));
  EXPECT_THAT(PlacesOf(machines, {AStep("a").Where("gpu.count >= 1 && gpu.memory > 40GiB")}),
              ElementsAre("a@old"));
}

TEST(FitTest, ALabelThatAMachineWasGivenWinsOverWhatItIs) {
  EXPECT_THAT(PlacesOf({AMachine("m").Label("name", "front")}, {AStep("a").Where("name == front")}),
              ElementsAre("a@m"));
}

TEST(FitTest, SaysWhatIsMissingOnTheNearestMachine) {
  const std::vector<MachineChanged> machines = {
      AMachine("small").Gpu("T4", 16 * kGiB).Label("zone", "a").Disk(10 * kGiB),
      AMachine("big")
          .Gpu("A100", 40 * kGiB)
          .Gpu("A100", 40 * kGiB)
          .Label("zone", "b")
          .Named("fpga", 1)};
  EXPECT_EQ(NeverFits(machines, AStep("s").Gpus(1).GpuModel("A100").Where("zone == b")), "");
  EXPECT_EQ(NeverFits(machines, AStep("s").Gpus(3)),
            "jobs.s: needs 3 GPUs, 2 are there on big (the nearest of 2 machines)");
  EXPECT_EQ(NeverFits(machines, AStep("s").Gpus(1).GpuModel("H100").GpuModel("B200")),
            "jobs.s: needs 1 GPU of H100 or B200, 0 are there (there are T4 with 16 GiB) on small "
            "(the nearest of 2 machines)");
  EXPECT_EQ(NeverFits(machines, AStep("s").Gpus(2).GpuMemory(80 * kGiB).Where("zone == b")),
            "jobs.s: needs 2 GPUs with 80 GiB, 0 are there (there are A100 with 40 GiB) on big");
  EXPECT_EQ(NeverFits(machines, AStep("s").GpuShare(500).GpuModel("H100").Where("zone == a")),
            "jobs.s: needs 0.5 GPUs of H100, 0 are there (there are T4 with 16 GiB) on small");
  EXPECT_EQ(NeverFits(machines, AStep("s").Named("fpga", 2)),
            "jobs.s: needs 2 fpga, 1 is there on big (the nearest of 2 machines)");
  EXPECT_EQ(NeverFits(machines, AStep("s").Disk(20 * kGiB)),
            "jobs.s: needs 20 GiB disk, 10 GiB is there on small (the nearest of 2 machines)");
  EXPECT_EQ(NeverFits(machines, AStep("s").Where("zone == b && gpu.model == H100")),
            "jobs.s: none of 2 machines has the labels that it asks for: on big, the nearest, "
            "gpu.model == H100 is false (gpu.model is A100)");
  EXPECT_EQ(
      NeverFits({machines[0]}, AStep("s").Label("zone", "b").Where("has(ssd)")),
      "jobs.s: none of 1 machine has the labels that it asks for: on small, has(ssd) is false "
      "(there is no ssd) and zone=b is false (zone is a)");
}

TEST(FitTest, GpusThatAMachineOnlyCountsHaveNoModel) {
  MachineChanged counted = AMachine("m");
  counted.capacity.gpu_millis = 2000;
  EXPECT_THAT(PlacesOf({counted}, {AStep("a").Gpus(1), AStep("b").GpuShare(500)}),
              ElementsAre("a@m:0", "b@m:1"));
  EXPECT_EQ(NeverFits({counted}, AStep("s").Gpus(1).GpuModel("A100")),
            "jobs.s: needs 1 GPU of A100, 0 are there (there are GPUs of an unknown model) on m");
}

TEST(FitTest, AMachineThatComesBackWithLessGivesOnlyWhatIsLeft) {
  World world;
  world.Connect(AMachine("m").Cpus(8).Gpus(2));
  world.Submit("r",
               APipeline({AStep("a").Gpus(1), AStep("b").GpuShare(500), AStep("c").GpuShare(500)}));
  EXPECT_THAT(PlacesIn(world), ElementsAre("a@m:0", "b@m:1", "c@m:1"));
  world.Report("m", {Starts(world.Attempt("r", "b")), Fails(world.Attempt("r", "b"))});
  MachineRecord less = world.Machine("m");
  less.facts.gpus.resize(1);
  less.facts.capacity.gpu_millis = 1000;
  EXPECT_EQ(FreeOf(less).gpu_millis, -500);
  ASSERT_EQ(GpusOf(less).size(), 1U);
  EXPECT_EQ(GpusOf(less)[0].free_millis, 0);
}

TEST(FitTest, StepsThatAskForTheSameShareAShape) {
  const auto plan =
      APlan({AStep("a").GpuShare(500).GpuModel("A100").Where("zone == a"),
             AStep("b").GpuShare(500).GpuModel("A100").Where("zone==a"),
             AStep("c").GpuShare(500).GpuModel("H100").Where("zone == a"),
             AStep("d").GpuShare(500).GpuModel("A100").Where("zone == b"),
             AStep("e").GpuShare(500).GpuModel("A100").GpuMemory(1).Where("zone == a")});
  EXPECT_EQ(plan->shapes.size(), 4U);
}

}  // namespace
}  // namespace potok::server
