// What holds of the engine in any state: its index answers as a look at every machine would,
// nothing is given twice, and the same calls give the same answers.
#include <map>
#include <random>

#include "gmock/gmock.h"
#include "tests/server/domain/placement/builders.h"

namespace potok::server::placing {
namespace {

constexpr int kRounds = 600;

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}
  std::uint64_t Below(std::uint64_t bound) { return random_() % bound; }
  template <class T>
  T Of(std::initializer_list<T> values) {
    return values.begin()[Below(values.size())];
  }

 private:
  std::mt19937_64 random_;
};

Machine RandomMachine(Dice& dice) {
  Machine machine = AHost(dice.Of<std::int32_t>({4, 16, 33, 64}),
                          dice.Of({16, 64, 255}),
                          dice.Of({0, 1, 2, 4, 8}),
                          dice.Of<std::string>({"A", "B", "C"}));
  machine.place = static_cast<PlaceId>(dice.Below(3));
  if (dice.Below(8) == 0) {
    for (Gpu& gpu : machine.gpus) gpu.memory_bytes = dice.Of({8, 80}) * kGib;
  }
  return machine;
}

Request RandomRequest(Dice& dice) {
  Request request = ARequest(0,
                             dice.Of({1, 3, 8, 17}),
                             dice.Of<std::int32_t>({0, 100, 250, 333, 500, 810, 1000, 2000, 4000}));
  request.cpu_millis = dice.Of<std::int32_t>({0, 500, 1100, 2000, 7777, 12'000});
  if (dice.Below(3) == 0) request.gpu_models = {dice.Of<std::string>({"A", "B"})};
  if (dice.Below(6) == 0) request.gpu_models = {"A", "C"};
  if (dice.Below(6) == 0) request.gpu_memory_bytes = 40 * kGib;
  if (dice.Below(6) == 0) request.demand = static_cast<DemandId>(dice.Below(5));
  return request;
}

// The books kept beside the engine's, in the plainest way.
class Books {
 public:
  explicit Books(std::vector<Machine> machines) : machines_(std::move(machines)) {
    for (const Machine& machine : machines_) {
      std::map<std::int32_t, std::int32_t>& free = free_millis_.emplace_back();
      for (const Gpu& gpu : machine.gpus) free[gpu.index] = kWholeGpu;
    }
  }

  void Move(const Request& request, const Choice& choice, int sign) {
    Machine& machine = machines_[choice.machine];
    machine.cpu_millis -= sign * request.cpu_millis;
    machine.memory_bytes -= sign * request.memory_bytes;
    EXPECT_GE(machine.cpu_millis, 0);
    EXPECT_GE(machine.memory_bytes, 0);
    const std::size_t count = request.IsShare() ? 1 : static_cast<std::size_t>(request.WholeGpus());
    EXPECT_EQ(choice.gpus.size(), count);
    for (const std::int32_t gpu : choice.gpus) {
      std::int32_t& free = free_millis_[choice.machine].at(gpu);
      free -= sign * std::min(request.gpu_millis, kWholeGpu);
      EXPECT_GE(free, 0);
      EXPECT_LE(free, kWholeGpu);
    }
  }

 private:
  std::vector<Machine> machines_;
  std::vector<std::map<std::int32_t, std::int32_t>> free_millis_;
};

// No machine alone offers more than the choice among all, and that one offers just this.
void CheckEach(Engine& engine,
               ShapeId shape,
               std::size_t machines,
               const std::optional<Choice>& best) {
  for (MachineNumber machine = 0; machine < machines; ++machine) {
    const std::optional<Choice> choice = engine.ChooseOn(shape, machine);
    if (!choice.has_value()) continue;
    ASSERT_TRUE(best.has_value());
    EXPECT_EQ(choice->machine, machine);
    EXPECT_GE(choice->loss, best->loss);
  }
  if (!best.has_value()) return;
  EXPECT_EQ(engine.ChooseOn(shape, best->machine), best);
}

// Plays a random history; every answer. Each is compared with a look at every machine, and booked.
std::vector<std::optional<Choice>> Play(std::uint64_t seed, bool check) {
  Dice dice(seed);
  Policy policy;
  policy.spread = dice.Below(4) == 0;
  Engine engine(policy);
  std::vector<Machine> machines;
  for (std::uint64_t i = 0; i < 5 + dice.Below(40); ++i) machines.push_back(RandomMachine(dice));
  // Three places, of which each meets a demand of its own and shares one with the next.
  const std::vector<std::vector<DemandId>> demands = {{0, 3}, {1, 3, 4}, {2, 4}};
  for (Machine& machine : machines) {
    machine.place = engine.PlaceThatMeets(demands[machine.place]);
    engine.AddMachine(machine);
  }
  Books books(machines);
  std::vector<Request> requests;
  for (int i = 0; i < 25; ++i) requests.push_back(RandomRequest(dice));
  std::vector<std::pair<Request, Choice>> held;
  std::vector<std::optional<Choice>> answers;
  for (int round = 0; round < kRounds; ++round) {
    if (!held.empty() && dice.Below(3) == 0) {
      std::swap(held[dice.Below(held.size())], held.back());
      const auto& [request, choice] = held.back();
      engine.Give(engine.Intern(request), choice);
      books.Move(request, choice, -1);
      held.pop_back();
    }
    if (dice.Below(20) == 0) {
      const auto machine = static_cast<MachineNumber>(dice.Below(machines.size()));
      dice.Below(2) == 0 ? engine.Withdraw(machine) : engine.Return(machine);
    }
    const Request& request = requests[dice.Below(requests.size())];
    const ShapeId shape = engine.Intern(request);
    engine.Saw(shape);
    answers.push_back(engine.Choose(shape));
    if (check) {
      EXPECT_EQ(answers.back(), engine.ChooseByScan(shape)) << "seed " << seed;
      CheckEach(engine, shape, machines.size(), answers.back());
    }
    if (!answers.back().has_value()) continue;
    engine.Take(shape, *answers.back());
    books.Move(request, *answers.back(), 1);
    held.emplace_back(request, *answers.back());
  }
  return answers;
}

TEST(EnginePropertyTest, TheIndexAnswersAsALookAtEveryMachineAndNothingIsGivenTwice) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    Play(seed, true);
    if (HasFailure()) FAIL() << "seed " << seed;
  }
}

TEST(EnginePropertyTest, TheSameCallsGiveTheSameAnswers) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) EXPECT_EQ(Play(seed, false), Play(seed, true));
}

}  // namespace
}  // namespace potok::server::placing
