#include "server/domain/placement/engine.h"

#include "gmock/gmock.h"
#include "tests/server/domain/placement/builders.h"

namespace potok::server::placing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;

// What was asked for before, then the request that is judged, and where it belongs.
struct Case {
  std::string name;
  std::vector<Machine> machines;
  std::vector<Request> seen;    // counted into the mix 20 times each
  std::vector<Request> placed;  // before; taken where the engine says
  Request request;
  std::optional<Choice> expected;
};

void PrintTo(const Case& one, std::ostream* out) {
  *out << one.name;
}

class RuleTest : public ::testing::TestWithParam<Case> {};

TEST_P(RuleTest, Holds) {
  Engine engine{Policy()};
  for (const Machine& machine : GetParam().machines) engine.AddMachine(machine);
  for (int i = 0; i < 20; ++i) {
    for (const Request& request : GetParam().seen) engine.Saw(engine.Intern(request));
  }
  for (const Request& request : GetParam().placed) ASSERT_TRUE(Put(engine, request).has_value());
  EXPECT_EQ(engine.Choose(engine.Intern(GetParam().request)), GetParam().expected);
}

const Request kWhole = ARequest(4, 8, 1000);
const Request kHalf = ARequest(4, 8, 500);
const Request kCpu = ARequest(8, 8);

INSTANTIATE_TEST_SUITE_P(
    Placing,
    RuleTest,
    ::testing::Values(
        Case{"NothingFits", {AHost(4, 8, 1)}, {}, {}, ARequest(8, 8, 1000), std::nullopt},
        Case{"NoMachines", {}, {}, {}, kCpu, std::nullopt},
        Case{"TheFirstOfEqualMachines",
             {AHost(8, 8, 1), AHost(8, 8, 1)},
             {},
             {},
             kWhole,
             {{0, {0}}}},
        Case{"AShareGoesToAGpuThatIsShared",
             {AHost(32, 64, 4)},
             {kWhole, kHalf},
             {kHalf},
             kHalf,
             {{0, {0}}}},
        Case{"WhatNeedsNoGpuGoesToAMachineWithoutOne",
             {AHost(16, 64, 2), AHost(64, 256)},
             {kWhole, kCpu},
             {},
             kCpu,
             {{1, {}}}},
        Case{"WhatNeedsNoGpuGoesWhereGpusHaveCpusToSpare",
             {AHost(8, 64, 2), AHost(64, 64, 2)},
             {kWhole, kCpu},
             {},
             kCpu,
             {{1, {}}}},
        Case{"WhatNeedsNoGpuFillsTheFullestMachine",
             {AHost(64, 64), AHost(16, 32)},
             {},
             {},
             kCpu,
             {{1, {}}}},
        Case{"AModelThatOthersNeedIsLeftToThem",
             {AHost(32, 64, 4, "Scarce"), AHost(32, 64, 4, "Plenty"), AHost(32, 64, 4, "Plenty")},
             {kWhole, OnModels(kWhole, {"Scarce"})},
             {},
             kWhole,
             {{1, {0}}}},
        Case{"OnlyAllowedModels",
             {AHost(32, 64, 4, "A"), AHost(32, 64, 4, "B")},
             {},
             {},
             OnModels(kWhole, {"B", "C"}),
             {{1, {0}}}},
        Case{"ManyGpusAreLeftTogetherForThoseWhoNeedMany",
             {AHost(64, 64, 8), AHost(64, 64, 8)},
             {kWhole, ARequest(32, 32, 8000)},
             {kWhole},
             kWhole,
             {{0, {1}}}},
        Case{"SeveralGpusOfOneMachine",
             {AHost(64, 64, 2), AHost(64, 64, 4)},
             {},
             {},
             ARequest(4, 8, 3000),
             {{1, {0, 1, 2}}}}),
    [](const auto& one) { return one.param.name; });

TEST(EngineTest, GivesAGpuOfEnoughMemory) {
  Engine engine{Policy()};
  Machine machine = AHost(8, 8, 2);
  machine.gpus[1].memory_bytes = 80 * kGib;
  engine.AddMachine(machine);
  Request request = kWhole;
  request.gpu_memory_bytes = 40 * kGib;
  EXPECT_THAT(engine.Choose(engine.Intern(request)), Optional(Choice{0, {1}}));
}

TEST(EngineTest, GivesOnlyMachinesThatMeetWhatIsDemanded) {
  Engine engine{Policy()};
  Machine machine = AHost(8, 8, 1);
  for (const std::vector<DemandId>& demands : {std::vector<DemandId>{}, {3}, {1, 3}}) {
    machine.place = engine.PlaceThatMeets(demands);
    engine.AddMachine(machine);
  }
  Request request = kWhole;
  EXPECT_THAT(engine.Choose(engine.Intern(request)), Optional(Choice{0, {0}}));
  request.demand = 3;
  EXPECT_THAT(engine.Choose(engine.Intern(request)), Optional(Choice{1, {0}}));
  request.demand = 1;
  EXPECT_THAT(engine.Choose(engine.Intern(request)), Optional(Choice{2, {0}}));
  for (const DemandId nobody : {0U, 2U, 7U}) {
    request.demand = nobody;
    EXPECT_EQ(engine.Choose(engine.Intern(request)), std::nullopt) << nobody;
  }
}

TEST(EngineTest, AMachineThatIsUpdatedIsWhatItNowSays) {
  Engine engine{Policy()};
  const MachineNumber number = engine.AddMachine(AHost(8, 8, 2));
  const ShapeId two = engine.Intern(ARequest(4, 4, 2000));
  engine.Take(two, engine.Choose(two).value());
  EXPECT_EQ(engine.Choose(two), std::nullopt);
  Machine more = AHost(4, 4, 3);
  more.gpus[1].free_millis = 0;
  engine.Update(number, more);
  EXPECT_THAT(engine.Choose(two), Optional(Choice{number, {0, 2}}));
  engine.Withdraw(number);
  engine.Update(number, AHost(8, 8, 2));
  EXPECT_EQ(engine.Choose(two), std::nullopt);
  engine.Return(number);
  EXPECT_THAT(engine.Choose(two), Optional(Choice{number, {0, 1}}));
}

TEST(EngineTest, FitsExactlyThoughConditionsAreRounded) {
  Engine engine{Policy()};
  Machine machine = AHost(0, 7);
  for (std::int32_t cpu_millis = 8001; cpu_millis < 8900; cpu_millis += 100) {
    machine.cpu_millis = cpu_millis;
    engine.AddMachine(machine);
  }
  Request request;
  request.cpu_millis = 8301;
  request.memory_bytes = 7 * kGib;
  EXPECT_THAT(engine.Choose(engine.Intern(request)), Optional(Choice{3, {}}));
  request.cpu_millis = 8802;
  EXPECT_EQ(engine.Choose(engine.Intern(request)), std::nullopt);
}

TEST(EngineTest, AWithdrawnMachineIsGivenNothingAndKeepsItsBooks) {
  Engine engine{Policy()};
  engine.AddMachine(AHost(8, 8, 1));
  const ShapeId shape = engine.Intern(kWhole);
  const Choice choice = engine.Choose(shape).value();
  engine.Take(shape, choice);
  engine.Withdraw(0);
  engine.Give(shape, choice);
  EXPECT_EQ(engine.Choose(shape), std::nullopt);
  engine.Return(0);
  EXPECT_THAT(engine.Choose(shape), Optional(choice));
}

TEST(EngineTest, AMachineThatOwesHoldsNothingUntilItWasGivenBack) {
  Engine engine{Policy()};
  engine.AddMachine(AHost(8, 8));
  const ShapeId large = engine.Intern(ARequest(16, 16));
  engine.Take(large, {0, {}});
  EXPECT_EQ(engine.Choose(engine.Intern(ARequest(1, 1))), std::nullopt);
  engine.Give(large, {0, {}});
  EXPECT_THAT(engine.Choose(engine.Intern(ARequest(8, 8))), Optional(Choice{0, {}}));
}

TEST(EngineTest, SpreadsIfThePolicySaysSo) {
  Policy policy;
  policy.spread = true;
  Engine engine(policy);
  engine.AddMachine(AHost(16, 16));
  engine.AddMachine(AHost(32, 32));
  EXPECT_THAT(engine.Choose(engine.Intern(kCpu)), Optional(Choice{1, {}}));
}

TEST(EngineTest, AMachineOfANewKindIsJudgedAtOnce) {
  Engine engine{Policy()};
  engine.AddMachine(AHost(8, 8, 1, "A"));
  const Request request = OnModels(kWhole, {"B"});
  EXPECT_EQ(Put(engine, request), std::nullopt);
  engine.AddMachine(AHost(8, 8, 1, "B"));
  EXPECT_THAT(Put(engine, request), Optional(Choice{1, {0}}));
}

}  // namespace
}  // namespace potok::server::placing
