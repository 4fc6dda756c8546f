// Sweeps: what trials get, when they are stopped, and which one counts.
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "gmock/gmock.h"
#include "server/domain/early_termination.h"
#include "server/domain/sobol.h"
#include "server/domain/sweep_sampling.h"
#include "tests/server/domain/flow_builders.h"

namespace potok::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

SearchParameter AParameter(const std::string& type, std::map<std::string, double> numbers) {
  SearchParameter parameter;
  parameter.name = "x";
  parameter.type = type;
  parameter.numbers = std::move(numbers);
  return parameter;
}
SearchParameter AChoice(const std::string& name, std::vector<std::string> values) {
  SearchParameter parameter;
  parameter.name = name;
  parameter.type = "choice";
  parameter.values = std::move(values);
  return parameter;
}

std::string TextOf(const OutputValue& value) {
  return value.name + "=" + std::get<std::string>(value.value);
}
std::vector<std::string> TextsOf(const std::vector<OutputValue>& values) {
  std::vector<std::string> texts;
  for (const OutputValue& value : values) texts.push_back(TextOf(value));
  return texts;
}

// --- Sampling

TEST(SweepTest, TheSobolSequenceBeginsAsItsAuthorsPublishedIt) {
  const double expected[8][3] = {{0, 0, 0},
                                 {0.5, 0.5, 0.5},
                                 {0.75, 0.25, 0.25},
                                 {0.25, 0.75, 0.75},
                                 {0.375, 0.375, 0.625},
                                 {0.875, 0.875, 0.125},
                                 {0.625, 0.125, 0.875},
                                 {0.125, 0.625, 0.375}};
  for (std::uint32_t i = 0; i < 8; ++i) {
    for (std::uint32_t d = 0; d < 3; ++d) {
      EXPECT_EQ(SobolBits(i, d) * 0x1p-32, expected[i][d]) << i << " " << d;
    }
  }
}

TEST(SweepTest, EachCoordinateOfTheSobolSequenceFillsItsIntervalEvenly) {
  for (std::uint32_t d = 0; d < kSobolDimensionsMax; ++d) {
    std::set<std::uint32_t> cells;
    for (std::uint32_t i = 0; i < 1024; ++i) cells.insert(SobolBits(i, d) >> 22U);
    EXPECT_EQ(cells.size(), 1024U) << d;
  }
}

TEST(SweepTest, QuantilesAreThoseOfTheDistributions) {
  const double e = std::exp(1.0);
  struct Case {
    SearchParameter parameter;
    double u;
    double value;
  };
  const std::vector<Case> cases = {
      {AParameter("uniform", {{"min_value", 2}, {"max_value", 4}}), 0.25, 2.5},
      {AParameter("quniform", {{"min_value", 0}, {"max_value", 10}, {"q", 4}}), 0.55, 4},
      {AParameter("loguniform", {{"min_value", -2}, {"max_value", 0}}), 0.5, std::exp(-1)},
      {AParameter("qloguniform", {{"min_value", 0}, {"max_value", 4}, {"q", 5}}), 0.5, 5},
      {AParameter("normal", {{"mu", 3}, {"sigma", 2}}), 0.5, 3},
      {AParameter("normal", {{"mu", 0}, {"sigma", 1}}), 0.975, 1.959963984540054},
      {AParameter("normal", {{"mu", 0}, {"sigma", 1}}), 0.001, -3.090232306167813},
      {AParameter("qnormal", {{"mu", 10}, {"sigma", 1}, {"q", 3}}), 0.5, 9},
      {AParameter("lognormal", {{"mu", 1}, {"sigma", 1}}), 0.5, e},
      {AParameter("qlognormal", {{"mu", 1}, {"sigma", 1}, {"q", 1}}), 0.5, 3},
      {AParameter("randint", {{"upper", 10}}), 0.999999, 9},
      {AParameter("randint", {{"upper", 10}}), 0.05, 0},
  };
  for (const Case& one : cases) {
    EXPECT_NEAR(std::stod(ValueAt(one.parameter, one.u, e)), one.value, 1e-9) << one.parameter.type;
  }
  EXPECT_EQ(ValueAt(AChoice("x", {"a", "b"}), 0.49, e), "a");
  EXPECT_EQ(ValueAt(AChoice("x", {"a", "b"}), 0.51, e), "b");
  EXPECT_EQ(ValueAt(AParameter("loguniform", {{"min_value", -2}, {"max_value", -2}}), 0.5, 10),
            "0.01");
}

TEST(SweepTest, AGridIsGoneThroughInOrderAndEndsWithItsPoints) {
  Sweep sweep;
  sweep.algorithm = "grid";
  sweep.space = {AChoice("a", {"1", "2"}), AChoice("b", {"x", "y"})};
  sweep.max_total_trials = 100;
  ASSERT_EQ(TrialsOf(sweep), 4U);
  EXPECT_THAT(TextsOf(SampleTrial(sweep, 1, 0)), ElementsAre("a=1", "b=x"));
  EXPECT_THAT(TextsOf(SampleTrial(sweep, 1, 1)), ElementsAre("a=1", "b=y"));
  EXPECT_THAT(TextsOf(SampleTrial(sweep, 1, 2)), ElementsAre("a=2", "b=x"));
  sweep.max_total_trials = 3;
  EXPECT_EQ(TrialsOf(sweep), 3U);
}

TEST(SweepTest, TheSameSeedGivesTheSameTrialsAndAnotherOneOthers) {
  Sweep sweep;
  sweep.algorithm = "random";
  sweep.space = {AParameter("uniform", {{"min_value", 0}, {"max_value", 1}})};
  std::set<std::string> values;
  for (std::uint32_t i = 0; i < 100; ++i) {
    EXPECT_EQ(TextsOf(SampleTrial(sweep, 7, i)), TextsOf(SampleTrial(sweep, 7, i)));
    values.insert(TextsOf(SampleTrial(sweep, 7, i))[0]);
    values.insert(TextsOf(SampleTrial(sweep, 8, i))[0]);
  }
  EXPECT_EQ(values.size(), 200U);
  EXPECT_NE(SeedOf("run-1", "tune"), SeedOf("run-2", "tune"));
}

TEST(SweepTest, RandomValuesFillTheirInterval) {
  Sweep sweep;
  sweep.algorithm = "random";
  sweep.space = {AParameter("uniform", {{"min_value", 0}, {"max_value", 1}})};
  std::vector<int> tenths(10);
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    const double value = std::stod(std::get<std::string>(SampleTrial(sweep, 3, i)[0].value));
    ++tenths.at(static_cast<std::size_t>(value * 10));
  }
  for (const int count : tenths) EXPECT_NEAR(count, 1000, 150);
}

// --- Early termination

TEST(SweepTest, AHistoryKnowsTheBestAndTheSumOfEachBeginning) {
  const double nan = std::nan("");
  const MetricHistory history({nan, 3, 5, 1, nan, 7});
  const auto best = [&](std::size_t intervals) {
    const auto least = history.BestOf(intervals, false);
    const auto most = history.BestOf(intervals, true);
    return std::pair(least.value_or(-1), most.value_or(-1));
  };
  EXPECT_EQ(best(0), std::pair(-1.0, -1.0));
  EXPECT_EQ(best(1), std::pair(-1.0, -1.0));
  EXPECT_EQ(best(3), std::pair(3.0, 5.0));
  EXPECT_EQ(best(5), std::pair(1.0, 5.0));
  EXPECT_EQ(best(99), std::pair(1.0, 7.0));
  EXPECT_TRUE(std::isnan(history.SumOf(2)));
  EXPECT_EQ(MetricHistory({1, 2, 3}).SumOf(2), 3);
  EXPECT_FALSE(MetricHistory().BestOf(1, true).has_value());
}

EarlyTermination ARule(const std::string& policy) {
  EarlyTermination rule;
  rule.policy = policy;
  return rule;
}

// Whether the last trial is stopped that reported its last value.
bool IsStopped(const EarlyTermination& rule,
               bool maximize,
               std::vector<std::vector<double>> values) {
  std::vector<MetricHistory> histories;
  for (const std::vector<double>& of_trial : values) histories.emplace_back(of_trial);
  std::vector<TrialHistory> trials;
  for (const MetricHistory& history : histories) trials.push_back({&history, false});
  return !WhyStopTrial(rule, maximize, trials, trials.size() - 1).empty();
}

TEST(SweepTest, ABanditStopsWhatIsTooFarBehindTheBestAtTheSameInterval) {
  EarlyTermination rule = ARule("bandit");
  rule.slack_factor = 0.25;  // 0.8 / 1.25 = 0.64
  EXPECT_FALSE(IsStopped(rule, true, {{0.8}, {0.65}}));
  EXPECT_TRUE(IsStopped(rule, true, {{0.8}, {0.63}}));
  EXPECT_FALSE(IsStopped(rule, true, {{0.1, 0.9}, {0.1}}));
  EXPECT_FALSE(IsStopped(rule, true, {{0.8, 0.8}, {0.7, 0.1}}));
  EXPECT_FALSE(IsStopped(rule, true, {{0.5}}));
  EXPECT_TRUE(IsStopped(rule, false, {{1.0}, {1.3}}));
  EXPECT_FALSE(IsStopped(rule, false, {{1.0}, {1.2}}));
  // The best of negative values is not stopped by itself.
  EXPECT_FALSE(IsStopped(rule, true, {{-2.0}, {-1.0}}));
  EXPECT_TRUE(IsStopped(rule, true, {{-1.0}, {-2.0}}));
  rule.slack_factor = 0;
  rule.slack_amount = 0.1;
  EXPECT_FALSE(IsStopped(rule, true, {{0.8}, {0.75}}));
  EXPECT_TRUE(IsStopped(rule, true, {{0.8}, {0.65}}));
}

TEST(SweepTest, RulesApplyAtTheirIntervalsAfterTheirDelay) {
  EarlyTermination rule = ARule("bandit");
  rule.slack_amount = 0.1;
  rule.evaluation_interval = 2;
  rule.delay_evaluation = 3;
  const std::vector<double> best = {1, 1, 1, 1};
  EXPECT_FALSE(IsStopped(rule, true, {best, {0}}));
  EXPECT_FALSE(IsStopped(rule, true, {best, {0, 0}}));
  EXPECT_FALSE(IsStopped(rule, true, {best, {0, 0, 0}}));
  EXPECT_TRUE(IsStopped(rule, true, {best, {0, 0, 0, 0}}));
}

TEST(SweepTest, MedianStoppingComparesTheBestWithTheMedianOfMeans) {
  const EarlyTermination rule = ARule("median_stopping");
  EXPECT_TRUE(IsStopped(rule, true, {{0.5, 0.7}, {0.6, 0.8}, {0.4, 0.5}}));
  EXPECT_FALSE(IsStopped(rule, true, {{0.5, 0.7}, {0.1, 0.2}, {0.4, 0.5}}));
  EXPECT_TRUE(IsStopped(rule, false, {{0.5, 0.7}, {0.1, 0.2}, {0.9, 0.8}}));
  EXPECT_FALSE(IsStopped(rule, true, {{0.4}}));
}

TEST(SweepTest, TruncationStopsTheWorstOfThoseThatCameSoFar) {
  EarlyTermination rule = ARule("truncation_selection");
  rule.truncation_percentage = 25;
  EXPECT_TRUE(IsStopped(rule, true, {{0.9}, {0.8}, {0.7}, {0.1}}));
  EXPECT_FALSE(IsStopped(rule, true, {{0.9}, {0.8}, {0.1}, {0.7}}));
  EXPECT_FALSE(IsStopped(rule, true, {{0.9}, {0.8}, {0.1}}));  // a quarter of three is none
  EXPECT_FALSE(IsStopped(rule, true, {{0.9, 0.9}, {0.8}, {0.7}, {0.6, 0.1}}));
}

TEST(SweepTest, WhatIsToBeSmallIsWorseWhereItIsLarge) {
  EarlyTermination truncation = ARule("truncation_selection");
  truncation.truncation_percentage = 50;
  EXPECT_TRUE(IsStopped(truncation, false, {{0.1}, {0.9}}));
  EXPECT_FALSE(IsStopped(truncation, false, {{0.9}, {0.1}}));
  EarlyTermination bandit = ARule("bandit");
  bandit.slack_amount = 0.1;
  EXPECT_TRUE(IsStopped(bandit, false, {{0.1}, {0.25}}));
  EXPECT_FALSE(IsStopped(bandit, false, {{0.1}, {0.15}}));
  EXPECT_FALSE(IsStopped(bandit, false, {{0.5}, {0.1}}));
  bandit.slack_amount = 0;
  bandit.slack_factor = 0.5;
  EXPECT_TRUE(IsStopped(bandit, false, {{-1.0}, {-0.4}}));
  EXPECT_FALSE(IsStopped(bandit, false, {{-1.0}, {-0.6}}));
  EXPECT_FALSE(IsStopped(ARule("median_stopping"), false, {{0.4}, {0.6}, {0.5}}));
  EXPECT_TRUE(IsStopped(ARule("median_stopping"), false, {{0.4}, {0.6}, {0.7}}));
}

TEST(SweepTest, TrialsThatEndedCountForTheRulesThatAskForThem) {
  const MetricHistory good({0.9, 0.9});
  const MetricHistory early({0.1});  // ended after one interval
  const MetricHistory own({0.5, 0.5});
  const auto is_stopped = [&](const EarlyTermination& rule, bool good_ended) {
    return !WhyStopTrial(rule, true, {{&good, good_ended}, {&early, true}, {&own, false}}, 2)
                .empty();
  };
  EarlyTermination truncation = ARule("truncation_selection");
  truncation.truncation_percentage = 50;
  EXPECT_TRUE(is_stopped(truncation, true));
  truncation.exclude_finished_jobs = true;
  EXPECT_TRUE(is_stopped(truncation, false));
  EXPECT_FALSE(is_stopped(truncation, true));
  // The means are 0.9, 0.1 and 0.5: the one that ended before is one of them.
  EXPECT_FALSE(is_stopped(ARule("median_stopping"), false));
}

TEST(SweepTest, ValuesThatAreNoNumbersStopNobodyElse) {
  const double nan = std::nan("");
  EarlyTermination rule = ARule("bandit");
  rule.slack_amount = 0.1;
  EXPECT_FALSE(IsStopped(rule, true, {{nan}, {0.5}}));
  EXPECT_FALSE(IsStopped(rule, true, {{0.9}, {nan}}));
  EXPECT_FALSE(IsStopped(ARule("median_stopping"), true, {{nan}, {0.5}}));
  EXPECT_TRUE(IsStopped(ARule("median_stopping"), true, {{nan}, {0.9}, {0.8}, {0.5}}));
  EXPECT_FALSE(IsStopped(ARule("median_stopping"), true, {{0.9}, {nan}}));
  EarlyTermination truncation = ARule("truncation_selection");
  truncation.truncation_percentage = 50;
  EXPECT_FALSE(IsStopped(truncation, true, {{nan}, {0.5}}));
  EXPECT_TRUE(IsStopped(truncation, true, {{0.5}, {nan}}));  // a trial that has gone astray
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(IsStopped(rule, true, {{0.9}, {-infinity}}));
  EXPECT_FALSE(IsStopped(rule, true, {{-infinity}, {-infinity}}));
  EXPECT_FALSE(IsStopped(rule, true, {{0.9}, {infinity}}));
}

// --- The life of a sweep

Sweep ASweep(int total, int at_once) {
  Sweep sweep;
  sweep.algorithm = "grid";
  sweep.space = {AChoice("lr", {"1", "2", "3", "4", "5", "6"})};
  sweep.primary_metric = "loss";
  sweep.max_total_trials = total;
  sweep.max_concurrent_trials = at_once;
  return sweep;
}

Step Tuned(const Sweep& sweep) {
  const Step trial = Promoting(AStep("")
                                   .Text("lr", ParentInputOf("lr"), ValueType::kNumber)
                                   .Output("model", ValueType::kString),
                               "model",
                               "model");
  return AControl(AStep("tune").Output("model", ValueType::kString), sweep, {trial});
}

World WithMachine() {
  World world;
  world.Connect(AMachine("m1").Cpus(8));
  return world;
}

void Log(World& world, const std::string& step, std::int64_t count, double value) {
  world.Turn({MetricReported{world.Attempt("r", step), count, value}});
}
void Finish(World& world, const std::string& step, const std::string& model) {
  world.Report("m1", {Succeeds(world.Attempt("r", step), {Word("model", model)})});
}

TEST(SweepTest, TheOutputsOfTheBestTrialAreTheSweeps) {
  World world = WithMachine();
  world.Submit("r",
               APipeline({Tuned(ASweep(3, 2)),
                          AStep("use").Text("m", OutputOf("tune", "model"), ValueType::kString)}));
  EXPECT_EQ(std::get<std::string>(world.Starts().at(1).inputs.at(0).value), "2");
  EXPECT_FALSE(world.Has("r", "tune[2]"));
  Log(world, "tune[0]", 1, 0.5);
  Log(world, "tune[1]", 1, 0.9);
  Log(world, "tune[1]", 2, 0.3);
  Finish(world, "tune[1]", "second");
  EXPECT_EQ(world.StateOf("r", "tune[2]"), "Assigned");
  Finish(world, "tune[0]", "first");
  Log(world, "tune[2]", 1, 0.4);
  Finish(world, "tune[2]", "third");
  EXPECT_THAT(world.In<Succeeded>("r", "tune").outputs, ElementsAre(Word("model", "second")));
  Finish(world, "use", "");
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kCompleted);
}

TEST(SweepTest, ATrialThatFailsIsNoFailureOfTheSweep) {
  for (const bool goes_on : {true, false}) {
    World world = WithMachine();
    PipelineSpec spec = APipeline({Tuned(ASweep(2, 2))});
    spec.settings.continue_on_step_failure = goes_on;
    world.Submit("r", spec);
    world.Report("m1", {Fails(world.Attempt("r", "tune[0]"))});
    Log(world, "tune[1]", 1, 2);
    Finish(world, "tune[1]", "second");
    EXPECT_EQ(world.LastMove("r").status, RunStatus::kCompleted);
  }
}

TEST(SweepTest, ASweepWithoutACompletedTrialThatWasMeasuredFails) {
  World world = WithMachine();
  world.Submit("r", APipeline({Tuned(ASweep(2, 2))}));
  Finish(world, "tune[0]", "x");
  Log(world, "tune[1]", 1, 0.5);
  world.Report("m1", {Fails(world.Attempt("r", "tune[1]"))});
  EXPECT_EQ(world.StateOf("r", "tune"), "Open");  // a value may be on its way
  world.Wait(absl::Seconds(2));
  EXPECT_EQ(
      world.In<Failed>("r", "tune").failure.message,
      "none of 2 trials completed and logged the metric 'loss'; step 'tune[1]' failed: it broke");
}

TEST(SweepTest, APolicyStopsATrialAndItIsNotTheBest) {
  World world = WithMachine();
  Sweep sweep = ASweep(2, 2);
  sweep.early_termination = ARule("bandit");
  sweep.early_termination.slack_amount = 0.1;
  world.Submit("r", APipeline({Tuned(sweep)}));
  Log(world, "tune[0]", 1, 0.2);
  EXPECT_THAT(world.Stops(), IsEmpty());
  Log(world, "tune[1]", 1, 0.9);
  ASSERT_THAT(world.Stops(), SizeIs(1));
  EXPECT_THAT(world.Stops()[0].reason, HasSubstr("stopped early by the bandit policy"));
  world.Report("m1", {Stops(world.Attempt("r", "tune[1]"))});
  EXPECT_EQ(world.StateOf("r", "tune[1]"), "Canceled");
  Finish(world, "tune[0]", "first");
  EXPECT_THAT(world.In<Succeeded>("r", "tune").outputs, ElementsAre(Word("model", "first")));
}

TEST(SweepTest, AValueThatComesAfterTheEndOfItsTrialCounts) {
  World world = WithMachine();
  world.Submit("r", APipeline({Tuned(ASweep(1, 1))}));
  const AttemptKey trial = world.Attempt("r", "tune[0]");
  Finish(world, "tune[0]", "only");
  world.Turn({MetricReported{trial, 1, 0.5}});
  EXPECT_THAT(world.In<Succeeded>("r", "tune").outputs, ElementsAre(Word("model", "only")));
}

TEST(SweepTest, WhatWasToldBeforeChangesNothing) {
  World world = WithMachine();
  world.Submit("r", APipeline({Tuned(ASweep(1, 1))}));
  Log(world, "tune[0]", 1, 0.5);
  EXPECT_THAT(world.last.changes, SizeIs(1));
  Log(world, "tune[0]", 1, 0.5);
  EXPECT_THAT(world.last.changes, IsEmpty());
  world.Turn({MetricReported{{1, 1, 99}, 2, 0.1}, MetricReported{{1, 0, 0}, 1, 0.1}});
  EXPECT_THAT(world.last.changes, IsEmpty());
}

TEST(SweepTest, TheTimeoutEndsTheTrialsAndTheBestOfThoseThatCompletedCounts) {
  World world = WithMachine();
  Sweep sweep = ASweep(6, 2);
  sweep.timeout_seconds = 10;
  world.Submit("r", APipeline({Tuned(sweep)}));
  Log(world, "tune[0]", 1, 0.5);
  Finish(world, "tune[0]", "first");
  world.Wait(absl::Seconds(10));
  EXPECT_EQ(world.StateOf("r", "tune[1]"), "Stopping");
  world.Report("m1", {Stops(world.Attempt("r", "tune[1]")), Stops(world.Attempt("r", "tune[2]"))});
  EXPECT_FALSE(world.Has("r", "tune[3]"));
  EXPECT_THAT(world.In<Succeeded>("r", "tune").outputs, ElementsAre(Word("model", "first")));
}

TEST(SweepTest, ASweepWhoseTimeIsOverBeforeATrialCompletedFails) {
  World world;  // no machine: the trials wait
  Sweep sweep = ASweep(6, 2);
  sweep.timeout_seconds = 10;
  world.Submit("r", APipeline({Tuned(sweep)}));
  world.Wait(absl::Seconds(9));
  EXPECT_EQ(world.StateOf("r", "tune[1]"), "Queued");
  world.Wait(absl::Seconds(1));
  EXPECT_EQ(world.In<Canceled>("r", "tune[1]").reason, "the sweep's timeout of 10 seconds is over");
  EXPECT_EQ(world.In<Failed>("r", "tune").failure.message,
            "none of 2 trials completed and logged the metric 'loss'");
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kFailed);
}

TEST(SweepTest, ASweepWhoseTrialsAllFailFailsWithTheFirstOfThem) {
  for (const bool goes_on : {true, false}) {
    World world = WithMachine();
    PipelineSpec spec = APipeline({Tuned(ASweep(2, 1))});
    spec.settings.continue_on_step_failure = goes_on;
    world.Submit("r", spec);
    Log(world, "tune[0]", 1, 0.5);
    world.Report("m1", {Fails(world.Attempt("r", "tune[0]"))});
    world.Report("m1", {Fails(world.Attempt("r", "tune[1]"))});
    EXPECT_EQ(world.In<Failed>("r", "tune").failure.message,
              "none of 2 trials completed and logged the metric 'loss'; step 'tune[0]' failed: it "
              "broke");
    EXPECT_EQ(world.LastMove("r").status, RunStatus::kFailed);
  }
}

TEST(SweepTest, TrialsThatLogNothingOrNoNumberAreNotTheBest) {
  World world = WithMachine();
  world.Submit("r", APipeline({Tuned(ASweep(3, 3))}));
  Finish(world, "tune[0]", "silent");
  Log(world, "tune[1]", 1, std::nan(""));
  Finish(world, "tune[1]", "astray");
  Log(world, "tune[2]", 1, std::nan(""));
  Log(world, "tune[2]", 2, 7);
  Finish(world, "tune[2]", "third");
  EXPECT_EQ(world.StateOf("r", "tune"), "Open");  // a value of the first may be on its way
  world.Wait(absl::Seconds(2));
  EXPECT_THAT(world.In<Succeeded>("r", "tune").outputs, ElementsAre(Word("model", "third")));
}

TEST(SweepTest, CancelEndsTheTrialsAndMakesNoMore) {
  World world = WithMachine();
  world.Submit("r", APipeline({Tuned(ASweep(6, 2))}));
  Log(world, "tune[0]", 1, 0.5);
  Finish(world, "tune[0]", "first");
  world.Cancel("r");
  EXPECT_EQ(world.StateOf("r", "tune"), "Canceled");
  EXPECT_EQ(world.StateOf("r", "tune[1]"), "Stopping");
  Log(world, "tune[1]", 1, 0.1);
  EXPECT_THAT(world.last.changes, IsEmpty());
  world.Report("m1", {Stops(world.Attempt("r", "tune[1]")), Stops(world.Attempt("r", "tune[2]"))});
  EXPECT_FALSE(world.Has("r", "tune[3]"));
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kCanceled);
}

TEST(SweepTest, ATrialThatIsTriedAgainIsMeasuredAnew) {
  World world = WithMachine();
  Sweep sweep = ASweep(2, 2);
  Step tuned = Tuned(sweep);
  auto control = std::make_shared<Control>(*tuned.control);
  control->body[0].retry.max_attempts = 2;
  tuned.control = control;
  world.Submit("r", APipeline({tuned}));
  Log(world, "tune[0]", 1, 0.1);
  world.Report("m1", {Fails(world.Attempt("r", "tune[0]"))});
  Log(world, "tune[0]", 1, 0.9);
  Finish(world, "tune[0]", "first");
  Log(world, "tune[1]", 1, 0.5);
  Finish(world, "tune[1]", "second");
  EXPECT_THAT(world.In<Succeeded>("r", "tune").outputs, ElementsAre(Word("model", "second")));
}

TEST(SweepTest, ASweepGoesOnWhereItWasWhenItsServerWasKilled) {
  World world = WithMachine();
  Sweep sweep = ASweep(4, 2);
  sweep.timeout_seconds = 100;
  world.Submit("r", APipeline({Tuned(sweep)}));
  Log(world, "tune[0]", 1, 0.2);
  Finish(world, "tune[0]", "first");
  world.now += absl::Seconds(60);
  world.Restart();
  EXPECT_FALSE(world.Has("r", "tune[3]"));
  world.Connect(AMachine("m1").Cpus(8),
                {world.Attempt("r", "tune[1]"), world.Attempt("r", "tune[2]")});
  Log(world, "tune[1]", 1, 0.5);
  Finish(world, "tune[1]", "second");
  EXPECT_TRUE(world.Has("r", "tune[3]"));
  world.Restart();
  world.Wait(absl::Seconds(40));  // since its beginning, not since the start of the server
  world.Connect(AMachine("m1").Cpus(8));
  EXPECT_EQ(world.StateOf("r", "tune[3]"), "Canceled");
  EXPECT_THAT(world.In<Succeeded>("r", "tune").outputs, ElementsAre(Word("model", "first")));
}

TEST(SweepTest, TrialsHaveTheirTimeout) {
  World world = WithMachine();
  Sweep sweep = ASweep(1, 1);
  sweep.trial_timeout_seconds = 7;
  world.Submit("r", APipeline({Tuned(sweep)}));
  const StartOrder order = world.Starts().at(0);
  EXPECT_EQ(order.plan->definition(order.key.index).timeout_seconds, 7);
}

}  // namespace
}  // namespace potok::server
