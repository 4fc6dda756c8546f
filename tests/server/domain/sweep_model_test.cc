#include "server/domain/sweep_model.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <set>

#include "gmock/gmock.h"
#include "server/domain/draw.h"
#include "server/domain/sweep_sampling.h"
#include "tests/server/domain/flow_builders.h"

namespace potok::server {
namespace {

using testing::Ge;
using testing::SizeIs;

SearchParameter ANumber(const std::string& name,
                        const std::string& type,
                        std::map<std::string, double> numbers) {
  SearchParameter parameter;
  parameter.name = name;
  parameter.type = type;
  parameter.numbers = std::move(numbers);
  return parameter;
}

// x from 0 to 1, y in fives from -50 to 50, kind one of four.
Sweep ASweep() {
  Sweep sweep;
  sweep.algorithm = "bayesian";
  sweep.primary_metric = "loss";
  sweep.space = {ANumber("x", "uniform", {{"min_value", 0}, {"max_value", 1}}),
                 ANumber("y", "quniform", {{"min_value", -50}, {"max_value", 50}, {"q", 5}})};
  SearchParameter kind;
  kind.name = "kind";
  kind.type = "choice";
  kind.values = {"a", "b", "c", "d"};
  sweep.space.push_back(kind);
  return sweep;
}

using Values = std::vector<OutputValue>;

std::string TextAt(const Values& values, std::size_t i) {
  return std::get<std::string>(values[i].value);
}
double NumberAt(const Values& values, std::size_t i) {
  return std::stod(TextAt(values, i));
}

// Zero at x = 0.3, y = -20, kind c.
double LossOf(const Values& values) {
  const double x = NumberAt(values, 0) - 0.3;
  const double y = NumberAt(values, 1) + 20;
  return 4 * x * x + y * y / 2500 + (TextAt(values, 2) == "c" ? 0 : 0.3);
}

using Objective = std::function<std::optional<double>(const Values&)>;

// All trials of a sweep, one after another.
std::vector<Values> Tried(const Sweep& sweep,
                          std::uint64_t seed,
                          std::size_t count,
                          const Objective& objective) {
  std::vector<Values> given;
  std::vector<std::optional<double>> results;
  for (std::uint32_t number = 0; number < count; ++number) {
    std::vector<TriedTrial> tried;
    for (std::size_t i = 0; i < given.size(); ++i) tried.push_back({&given[i], results[i]});
    given.push_back(sweep.algorithm == "bayesian" ? SuggestTrial(sweep, seed, number, tried)
                                                  : SampleTrial(sweep, seed, number));
    results.push_back(objective(given.back()));
  }
  return given;
}

// The number of trials until one is nearly the best there is.
std::size_t TrialsUntilGood(const Sweep& sweep, std::uint64_t seed) {
  constexpr std::size_t kMost = 200;
  const std::vector<Values> given = Tried(sweep, seed, kMost, LossOf);
  const auto good =
      std::ranges::find_if(given, [](const Values& values) { return LossOf(values) < 0.02; });
  return static_cast<std::size_t>(good - given.begin());
}

TEST(SweepModelTest, FindsTheOptimumInHalfAsManyTrialsAsDrawingAtRandom) {
  std::size_t learned = 0;
  std::size_t drawn = 0;
  Sweep random = ASweep();
  random.algorithm = "random";
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    learned += TrialsUntilGood(ASweep(), seed);
    drawn += TrialsUntilGood(random, seed);
  }
  std::printf("%zu trials, at random %zu\n", learned / 30, drawn / 30);
  EXPECT_LT(2 * learned, drawn);
}

TEST(SweepModelTest, LearnsWhatIsToBeLargeAsWell) {
  Sweep sweep = ASweep();
  sweep.maximize = true;
  const std::vector<Values> down = Tried(ASweep(), 5, 40, LossOf);
  const std::vector<Values> up =
      Tried(sweep, 5, 40, [](const Values& values) { return -LossOf(values); });
  EXPECT_EQ(down, up);
}

TEST(SweepModelTest, ItsFirstTrialsAreDrawnAtRandomAndTheSameSeedGivesTheSameTrials) {
  const std::vector<Values> once = Tried(ASweep(), 3, 30, LossOf);
  EXPECT_EQ(once, Tried(ASweep(), 3, 30, LossOf));
  EXPECT_NE(once, Tried(ASweep(), 4, 30, LossOf));
  for (std::uint32_t i = 0; i < 10; ++i) EXPECT_EQ(once[i], SampleTrial(ASweep(), 3, i)) << i;
  EXPECT_NE(once[10], SampleTrial(ASweep(), 3, 10));
}

TEST(SweepModelTest, WithoutResultsItDrawsAtRandom) {
  const auto nothing = [](const Values&) { return std::optional<double>(); };
  const auto no_number = [](const Values&) { return std::nan(""); };
  const std::vector<Values> silent = Tried(ASweep(), 3, 30, nothing);
  EXPECT_EQ(silent, Tried(ASweep(), 3, 30, no_number));
  for (std::uint32_t i = 0; i < 30; ++i) EXPECT_EQ(silent[i], SampleTrial(ASweep(), 3, i)) << i;
}

TEST(SweepModelTest, KeepsToWhatIsSearchedAndGivesNothingUp) {
  std::set<std::string> kinds;
  for (const Values& values : Tried(ASweep(), 9, 300, LossOf)) {
    EXPECT_THAT(NumberAt(values, 0), testing::AllOf(Ge(0), testing::Le(1)));
    EXPECT_EQ(std::remainder(NumberAt(values, 1), 5), 0);
    EXPECT_LE(std::abs(NumberAt(values, 1)), 50);
    kinds.insert(TextAt(values, 2));
  }
  EXPECT_THAT(kinds, SizeIs(4));
}

TEST(SweepModelTest, BearsInfinitiesEqualResultsAndIntervalsOfOneValue) {
  Sweep sweep = ASweep();
  sweep.space[0].numbers["max_value"] = 0;
  const double infinity = std::numeric_limits<double>::infinity();
  const auto strange = [&](const Values& values) {
    return TextAt(values, 2) == "a" ? infinity : TextAt(values, 2) == "b" ? -infinity : 1;
  };
  for (const Values& values : Tried(sweep, 2, 60, strange)) EXPECT_EQ(TextAt(values, 0), "0");
  EXPECT_THAT(Tried(sweep, 2, 60, [](const Values&) { return 1.0; }), SizeIs(60));
}

TEST(SweepModelTest, SharesAndQuantilesOfTheNormalDistributionAreInverse) {
  for (const double u : {1e-9, 0.01, 0.3, 0.5, 0.8, 0.999}) {
    EXPECT_NEAR(NormalShare(NormalQuantile(u)), u, 1e-9);
  }
}

// --- In a run

Step Tuned(const Sweep& sweep) {
  AStep trial("");
  for (const SearchParameter& parameter : sweep.space) {
    const ValueType type = parameter.type == "choice" ? ValueType::kString : ValueType::kNumber;
    trial.Text(parameter.name, ParentInputOf(parameter.name), type);
  }
  return AControl(AStep("tune"), sweep, {trial});
}

// What each trial was given, one after another; the server is killed before each of `kills`.
std::vector<Values> GivenInARun(std::uint32_t count, const std::set<std::uint32_t>& kills) {
  Sweep sweep = ASweep();
  sweep.max_total_trials = static_cast<std::int32_t>(count);
  sweep.max_concurrent_trials = 1;
  World world;
  world.Connect(AMachine("m1"));
  world.Submit("r", APipeline({Tuned(sweep)}));
  std::vector<Values> given;
  for (std::uint32_t number = 0; number < count; ++number) {
    const AttemptKey trial = world.Attempt("r", "tune[" + std::to_string(number) + "]");
    if (kills.contains(number)) {
      world.Restart();
      world.Connect(AMachine("m1"), {trial});
    }
    given.push_back(world.state.runs.at(trial.run).controls.at(0).bodies.back().values);
    world.Turn({MetricReported{trial, 1, LossOf(given.back())}});
    world.Report("m1", {Succeeds(trial)});
  }
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kCompleted);
  return given;
}

TEST(SweepModelTest, ASweepLearnsFromItsTrialsAndGoesOnAlikeAfterItsServerWasKilled) {
  const std::vector<Values> given = GivenInARun(30, {});
  EXPECT_EQ(given, GivenInARun(30, {1, 12, 13, 25}));
  const std::uint64_t seed = SeedOf("r", "tune");
  EXPECT_EQ(given[9], SampleTrial(ASweep(), seed, 9));
  EXPECT_EQ(given, Tried(ASweep(), seed, 30, LossOf));
}

}  // namespace
}  // namespace potok::server
