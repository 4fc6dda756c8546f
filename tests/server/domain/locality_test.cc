// Steps run where their inputs are, as far as that costs nobody a GPU.
#include "server/domain/locality.h"

#include "gmock/gmock.h"
#include "tests/server/domain/builders.h"

namespace potok::server {
namespace {

OutputValue Large(const std::string& name, std::int64_t bytes = 2 * kGiB) {
  return {name, Artifact{DigestOf("large " + name), true, bytes, ""}};
}

// Makes "data" and reads it; machines m1 and m2, of which the fuller is usually taken.
class LocalityWorldTest : public ::testing::Test {
 protected:
  static PipelineSpec MakeAndUse(AStep make, AStep use) {
    Step maker = make.Output("data");
    Step user = use.Data("data", OutputOf("make", "data"));
    maker.name = "make";
    user.name = "use";
    return APipeline({maker, user});
  }
  // A step that stays on m2.
  void Fill(AStep step) {
    world_.Submit("filler", APipeline({step.Label("on", "m2")}));
    ASSERT_EQ(MachineOf("filler", "fill"), "m2");
  }
  void Made(const std::string& run, const OutputValue& data, const std::string& machine = "m1") {
    const AttemptKey key = world_.Attempt(run, "make");
    world_.Report(machine, {Starts(key), Succeeds(key, {data})});
  }
  std::string MachineOf(const std::string& run, const std::string& step) {
    const Placement* placement = PlacementOf(world_.StepOf(run, step).state());
    return placement == nullptr ? "" : world_.state.machines.at(placement->machine).facts.name;
  }
  std::optional<HeldInputs> HeldOf(const std::string& run, const std::string& step) {
    std::optional<HeldInputs> held;
    for (const Change& change : world_.journal) {
      const auto* moved = std::get_if<StepMoved>(&change);
      if (moved != nullptr && moved->step == world_.KeyOf(run, step) && moved->held) {
        held = moved->held;
      }
    }
    return held;
  }
  static AMachine Host(const std::string& name) { return AMachine(name).Label("on", name); }

  World world_;
};

TEST_F(LocalityWorldTest, AStepRunsWhereItsInputWasMadeAndNotOnTheFullestMachine) {
  world_.Connect(Host("m1"));
  world_.Connect(Host("m2"));
  world_.Submit("r", MakeAndUse(AStep("").Label("on", "m1"), AStep("")));
  Fill(AStep("fill"));
  Made("r", Large("data"));
  EXPECT_EQ(MachineOf("r", "use"), "m1");
  EXPECT_EQ(HeldOf("r", "use"), (HeldInputs{2 * kGiB, 2 * kGiB, true}));
}

TEST_F(LocalityWorldTest, ASmallInputDecidesNothing) {
  world_.Connect(Host("m1"));
  world_.Connect(Host("m2"));
  world_.Submit("r", MakeAndUse(AStep("").Label("on", "m1"), AStep("")));
  Fill(AStep("fill"));
  Made("r", Large("data", 1000));
  EXPECT_EQ(MachineOf("r", "use"), "m2");
  EXPECT_EQ(HeldOf("r", "use"), std::nullopt);
}

TEST_F(LocalityWorldTest, AMachineWithoutRoomIsNotWaitedFor) {
  world_.Connect(Host("m1"));
  world_.Connect(Host("m2"));
  world_.Submit("r", MakeAndUse(AStep("").Label("on", "m1"), AStep("").Memory(12 * kGiB)));
  world_.Submit("full", APipeline({AStep("s").Label("on", "m1").Memory(8 * kGiB)}));
  Made("r", Large("data"));
  EXPECT_EQ(MachineOf("r", "use"), "m2");
}

TEST_F(LocalityWorldTest, WhatWasStagedForOneStepDrawsTheNext) {
  world_.Connect(Host("m1"));
  world_.Connect(Host("m2"));
  const PipelineSpec reads = [&] {
    PipelineSpec spec = APipeline(
        {AStep("make").Output("data").Label("on", "m1"),
         AStep("first").Label("on", "m2").Data("data", OutputOf("make", "data")),
         AStep("next").After("first").Label("pool", "b").Data("data", OutputOf("make", "data"))});
    return spec;
  }();
  world_.Connect(AMachine("m0").Label("pool", "b"));
  world_.Connect(Host("m2").Label("pool", "b"));
  world_.Submit("r", reads);
  Made("r", Large("data"));
  const AttemptKey first = world_.Attempt("r", "first");
  world_.Report("m2", {Starts(first), Succeeds(first)});
  EXPECT_EQ(MachineOf("r", "next"), "m2");
}

TEST_F(LocalityWorldTest, AHoleThatOthersWantIsNotBrokenForATransfer) {
  world_.Connect(Host("m3").Gpus(8));
  world_.Submit("eight", APipeline({AStep("s").Gpus(8)}));
  world_.Connect(Host("m1").Gpus(8));
  world_.Connect(Host("m2").Gpus(8));
  Fill(AStep("fill").Gpus(7));
  world_.Submit("r", MakeAndUse(AStep("").Label("on", "m1"), AStep("").Gpus(1)));
  Made("r", Large("data"));
  EXPECT_EQ(MachineOf("r", "use"), "m2") << "m1 stays whole for steps of 8 GPUs";
}

TEST_F(LocalityWorldTest, AmongMachinesWhereEquallyMuchIsLostTheInputsDecide) {
  world_.Connect(Host("m1").Gpus(8));
  world_.Connect(Host("m2").Gpus(8));
  world_.Submit("r", MakeAndUse(AStep("").Label("on", "m2"), AStep("").Gpus(4)));
  Made("r", Large("data"), "m2");
  EXPECT_EQ(MachineOf("r", "use"), "m2");
}

TEST_F(LocalityWorldTest, AServerThatStartsKnowsWhatRunsThatHaveNotEndedMade) {
  world_.Connect(Host("m1"));
  world_.Connect(Host("m2"));
  world_.Submit("r", MakeAndUse(AStep("").Label("on", "m1"), AStep("")));
  Fill(AStep("fill"));
  const AttemptKey filler = world_.Attempt("filler", "fill");
  world_.Report("m2", {Starts(filler)});
  const AttemptKey key = world_.Attempt("r", "make");
  world_.Disconnect("m2");
  world_.Disconnect("m1");
  world_.Connect(Host("m1").Label("on", "m1"), {}, {Starts(key), Succeeds(key, {Large("data")})});
  world_.Restart();
  EXPECT_EQ(world_.state.holdings.BytesOn(world_.state.machine_by_name.at("m1")), 2 * kGiB);
}

TEST_F(LocalityWorldTest, AMachineWithAnotherStateFolderHoldsNothing) {
  world_.Connect(Host("m1"));
  world_.Submit("r", MakeAndUse(AStep(""), AStep("").Label("on", "m9")));
  world_.Connect(Host("m9").Pool("other"));
  Made("r", Large("data"));
  const MachineId machine = world_.state.machine_by_name.at("m1");
  EXPECT_EQ(world_.state.holdings.CountOn(machine), 1U);
  world_.Turn({MachineGoodbye{world_.Machine("m1").session, "m1"}});
  world_.Connect(Host("m1").StateId("new"));
  EXPECT_EQ(world_.state.holdings.CountOn(machine), 0U);
}

}  // namespace
}  // namespace potok::server
