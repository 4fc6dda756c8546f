// A turn costs what it changes, whatever waits. The limits are ten and more times what was measured
// on a loaded machine; they are there to catch a walk over everything.
#include <algorithm>
#include <cstdio>
#include <ctime>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "tests/server/domain/flow_builders.h"

namespace potok::server {
namespace {

constexpr absl::Time kNow = absl::UnixEpoch();

template <class Work>
double MillisecondsOf(Work work) {
  const std::clock_t start = std::clock();  // of the processor: the machine may be busy
  work();
  return 1000.0 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

void AddMachines(State& state, int count, const AMachine& like) {
  std::vector<Event> hellos;
  for (int i = 0; i < count; ++i) {
    MachineChanged facts = like;
    facts.name = fmt::format("m{}", i);
    hellos.push_back(MachineHello{static_cast<SessionId>(i + 1), facts, {}, {}});
  }
  DecideTurn(state, hellos, kNow, {});
}

void Submit(State& state, const std::string& name, std::shared_ptr<const Plan> plan) {
  DecideTurn(state, {RunSubmitted{1, name, name, {}, std::move(plan), "me"}}, kNow, {});
}

// The least of `count` turns, each of which ends one attempt of run 1 on machine m0.
double TurnMilliseconds(State& state, int count) {
  double least = 1e9;
  for (int i = 0; i < count; ++i) {
    const AttemptKey key = *state.machines.at(1).holding.begin();
    const std::vector<Event> events = {MachineReported{1, "m0", {Succeeds(key)}}};
    least = std::min(least, MillisecondsOf([&] { DecideTurn(state, events, kNow, {}); }));
  }
  return least;
}

TEST(ScaleTest, AFullClusterWithTenThousandQueuedStepsTakesATurnInAFewMilliseconds) {
  State state;
  AddMachines(state, 100, AMachine("m").Cpus(4));
  std::vector<Step> steps;
  for (int i = 0; i < 10'400; ++i) {
    steps.push_back(AStep(fmt::format("s{}", i)).Memory((1 + i % 3) * kGiB / 2));
  }
  Submit(state, "r", APlan(std::move(steps)));
  EXPECT_EQ(state.queued.size(), 10'000U);
  const double milliseconds = TurnMilliseconds(state, 20);
  std::printf("%.3f ms a turn\n", milliseconds);
  EXPECT_LT(milliseconds, 5);
}

// So many teams of one user each, who have a run of ten steps queued for each of `runs`.
State WithTeams(int teams, int runs, const TeamEdit& edit) {
  State state;
  for (int i = 0; i < teams; ++i) {
    TeamEdit own = edit;
    own.add_users = {fmt::format("u{}", i)};
    const auto create = TeamEdited::Kind::kCreate;
    DecideTurn(state, {TeamEdited{1, create, fmt::format("t{}", i), own}}, kNow, {});
  }
  std::vector<Step> steps;
  for (int i = 0; i < 10; ++i) steps.push_back(AStep(fmt::format("s{}", i)));
  const auto plan = APlan(std::move(steps));
  for (int i = 0; i < runs; ++i) {
    const std::string name = fmt::format("r{}", i);
    const std::string user = fmt::format("u{}", i % teams);
    DecideTurn(state, {RunSubmitted{1, name, name, {}, plan, user}}, kNow, {});
  }
  return state;
}

TEST(ScaleTest, WithFiveHundredTeamsThatWaitATurnTakesAFewMilliseconds) {
  TeamEdit edit;
  edit.half_life = absl::Hours(24);
  State state = WithTeams(500, 2000, edit);
  AddMachines(state, 100, AMachine("m").Cpus(4));
  EXPECT_EQ(state.queued.size(), 19'600U);
  double least = 1e9;
  for (int i = 0; i < 20; ++i) {
    const AttemptKey key = *state.machines.at(1).holding.begin();
    const std::vector<Event> events = {MachineReported{1, "m0", {Succeeds(key)}}};
    const absl::Time now = kNow + absl::Seconds(i);
    least = std::min(least, MillisecondsOf([&] { DecideTurn(state, events, now, {}); }));
  }
  std::printf("%.3f ms a turn\n", least);
  EXPECT_LT(least, 5);
}

TEST(ScaleTest, StepsBeyondAQuotaAreNotLookedAtOneByOne) {
  TeamEdit edit;
  edit.cpu_millis_max = 2000;
  State state = WithTeams(2, 4000, edit);
  AddMachines(state, 100, AMachine("m").Cpus(4));
  EXPECT_EQ(state.queued.size(), 39'996U);
  double least = 1e9;
  for (int i = 0; i < 20; ++i) {
    least = std::min(least, MillisecondsOf([&] { DecideTurn(state, {Tick{}}, kNow, {}); }));
  }
  std::printf("%.3f ms a turn\n", least);
  EXPECT_LT(least, 2);
}

TEST(ScaleTest, QueuedStepsThatFitNowhereAreNotAllTriedAgain) {
  State state;
  AddMachines(state, 100, AMachine("m").Cpus(4));
  std::vector<Step> steps = {AStep("last")};
  for (int i = 0; i < 10'000; ++i) steps.push_back(AStep(fmt::format("g{}", i)).Gpus(1));
  std::reverse(steps.begin(), steps.end());
  const auto plan = APlan(std::move(steps));
  const double milliseconds = MillisecondsOf([&] { Submit(state, "r", plan); });
  std::printf("%.3f ms to submit and place\n", milliseconds);
  EXPECT_EQ(state.queued.size(), 10'000U);
  State copy = state;
  double again = 1e9;
  for (int i = 0; i < 5; ++i) {
    again = std::min(again, MillisecondsOf([&] { DecideTurn(copy, {Tick{}}, kNow, {}); }));
  }
  std::printf("%.3f ms a turn\n", again);
  EXPECT_LT(again, 10);
}

TEST(ScaleTest, AReportInARunOfAHundredThousandStepsCostsWhatItChanges) {
  State state;
  std::vector<Step> steps;
  for (int i = 0; i < 100'000; ++i) {
    steps.push_back(AStep(fmt::format("s{}", i)));
    if (i > 0) steps.back() = AStep(fmt::format("s{}", i)).After(fmt::format("s{}", i - 1));
  }
  const PipelineSpec spec = APipeline(std::move(steps));
  std::shared_ptr<const Plan> plan;
  std::printf("%.0f ms to plan\n", MillisecondsOf([&] { plan = *BuildPlan(spec); }));
  AddMachines(state, 1, AMachine("m"));
  Submit(state, "r", plan);
  const double milliseconds = TurnMilliseconds(state, 200);
  std::printf("%.4f ms a turn\n", milliseconds);
  EXPECT_LT(milliseconds, 0.5);
}

TEST(ScaleTest, AMetricCostsTheSameHoweverOftenItWasLogged) {
  constexpr int kTrials = 100;
  Sweep sweep;
  sweep.algorithm = "random";
  sweep.max_total_trials = kTrials;
  sweep.early_termination.policy = "bandit";
  sweep.early_termination.slack_amount = 1e9;
  State state;
  AddMachines(state, 1, AMachine("m").Cpus(kTrials));
  Submit(state, "r", *RebuildPlan(APipeline({AControl(AStep("tune"), sweep, {AStep("")})})));
  double milliseconds = 0;
  for (std::int64_t count = 1; count <= 2000; ++count) {
    std::vector<Event> events;
    for (std::uint32_t trial = 1; trial <= kTrials; ++trial) {
      events.push_back(MetricReported{{1, trial, 1}, count, 1.0 / static_cast<double>(count)});
    }
    milliseconds = MillisecondsOf([&] { DecideTurn(state, events, kNow, {}); });
  }
  std::printf("%.4f ms a metric of %d trials\n", milliseconds / kTrials, kTrials);
  EXPECT_LT(milliseconds / kTrials, 0.1);
}

}  // namespace
}  // namespace potok::server
