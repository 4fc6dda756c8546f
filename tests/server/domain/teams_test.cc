// Teams: what they may have, what they are guaranteed, and what is wrong with one.
#include <cmath>
#include <limits>

#include "gmock/gmock.h"
#include "server/domain/explain_team.h"
#include "server/domain/placement.h"
#include "tests/server/domain/builders.h"

namespace potok::server {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

using Kind = TeamEdited::Kind;

// Ann and bob are of vision, cyd of speech, all others of no team.
World WithTeams(const TeamEdit& vision = {}, const TeamEdit& speech = {}) {
  World world;
  TeamEdit first = vision;
  first.add_users = {"ann", "bob"};
  TeamEdit second = speech;
  second.add_users = {"cyd"};
  EXPECT_TRUE(world.Edit("vision", first).ok());
  EXPECT_TRUE(world.Edit("speech", second).ok());
  return world;
}

PipelineSpec Steps(std::size_t count, std::int32_t cpu_millis = 1000) {
  std::vector<Step> steps;
  for (std::size_t i = 0; i < count; ++i) {
    steps.push_back(AStep("s" + std::to_string(i)).Cpus(cpu_millis));
  }
  return APipeline(std::move(steps));
}

// How many steps of the user's runs were placed by the last turn.
std::size_t PlacedOf(const World& world, const std::string& user) {
  std::size_t count = 0;
  for (const StartOrder& start : world.Starts()) {
    if (world.state.runs.at(start.key.run).submitter == user) ++count;
  }
  return count;
}

TEST(TeamsTest, TheTeamWithTheLeastShareForItsWeightGoesFirst) {
  TeamEdit vision;
  vision.weight = 3;
  World world = WithTeams(vision);
  world.SubmitAs("ann", "a", Steps(20));
  world.SubmitAs("cyd", "c", Steps(20));
  world.Connect(AMachine("m").Cpus(8));
  EXPECT_EQ(PlacedOf(world, "ann"), 6U);
  EXPECT_EQ(PlacedOf(world, "cyd"), 2U);
}

TEST(TeamsTest, TheLargestPartOfAnyResourceIsTheShare) {
  World world = WithTeams();
  world.SubmitAs("ann", "a", Steps(20));
  world.SubmitAs(
      "cyd", "c", APipeline({AStep("s0").Gpus(1).Cpus(1000), AStep("s1").Gpus(1).Cpus(1000)}));
  world.Connect(AMachine("m").Cpus(8).Gpus(2));
  // One step of speech holds half of the GPUs, as much as four of vision do of the CPUs.
  EXPECT_EQ(PlacedOf(world, "cyd"), 2U);
  EXPECT_DOUBLE_EQ(ShareOf(world.state.teams.at("speech").use.held, world.state.living), 1.0);
  EXPECT_DOUBLE_EQ(ShareOf(world.state.teams.at("vision").use.held, world.state.living), 0.75);
}

TEST(TeamsTest, UsersOfATeamShareAlikeAlsoWithoutTeams) {
  World world;
  world.SubmitAs("ann", "a", Steps(20));
  world.SubmitAs("bob", "b", Steps(20));
  world.Connect(AMachine("m").Cpus(4));
  EXPECT_EQ(PlacedOf(world, "ann"), 2U);
  EXPECT_EQ(PlacedOf(world, "bob"), 2U);
}

TEST(TeamsTest, AHigherPriorityGoesBeforeAnyShare) {
  World world = WithTeams();
  world.SubmitAs("ann", "a", APipeline({AStep("s0").Priority(1), AStep("s1").Priority(1)}));
  world.SubmitAs("cyd", "c", Steps(2));
  world.Connect(AMachine("m").Cpus(2));
  EXPECT_EQ(PlacedOf(world, "ann"), 2U);
}

TEST(TeamsTest, NobodyHasMoreThanItsQuota) {
  TeamEdit vision;
  vision.cpu_millis_max = 3000;
  World world = WithTeams(vision);
  world.SubmitAs("ann", "a", Steps(10));
  world.SubmitAs("cyd", "c", Steps(2));
  world.Connect(AMachine("m").Cpus(16));
  EXPECT_EQ(PlacedOf(world, "ann"), 3U);
  EXPECT_EQ(PlacedOf(world, "cyd"), 2U);
  EXPECT_EQ(CountWaitingForQuota(world.state), 7U);
  EXPECT_EQ(ExplainWaiting(world.state, world.KeyOf("a", "s9"), world.options),
            "its quota: team vision has 3 of 3 CPUs of its quota in use, and this needs 1");
  // What is less than what is left still goes.
  world.SubmitAs("ann", "small", APipeline({AStep("s").Cpus(500)}));
  EXPECT_EQ(PlacedOf(world, "ann"), 0U);
  world.Report("m", {Starts(world.Attempt("a", "s0")), Succeeds(world.Attempt("a", "s0"))});
  EXPECT_EQ(PlacedOf(world, "ann"), 1U);
}

TEST(TeamsTest, OneKindOfStepAtItsQuotaDoesNotKeepTheOthers) {
  TeamEdit vision;
  vision.gpu_millis_max = 1000;
  World world = WithTeams(vision);
  world.SubmitAs("ann", "a", APipeline({AStep("g0").Gpus(1), AStep("g1").Gpus(1), AStep("c")}));
  world.Connect(AMachine("m").Cpus(16).Gpus(8));
  EXPECT_EQ(PlacedOf(world, "ann"), 2U);
  EXPECT_EQ(world.StateOf("a", "g1"), "Queued");
  EXPECT_EQ(world.StateOf("a", "c"), "Assigned");
}

TEST(TeamsTest, TeamsAndUsersHaveSoManyStepsOnMachines) {
  TeamEdit vision;
  vision.running_steps_max = 3;
  vision.user_running_steps_max = 2;
  World world = WithTeams(vision);
  world.SubmitAs("ann", "a", Steps(5));
  world.SubmitAs("bob", "b", Steps(5));
  world.Connect(AMachine("m").Cpus(16));
  EXPECT_EQ(PlacedOf(world, "ann"), 2U);
  EXPECT_EQ(PlacedOf(world, "bob"), 1U);
  EXPECT_THAT(ExplainWaiting(world.state, world.KeyOf("b", "s4"), world.options),
              HasSubstr("3 of 3 running steps of its quota"));
  world.Cancel("b");
  world.Report("m", {Stops(world.Attempt("b", "s0"))});
  EXPECT_THAT(ExplainWaiting(world.state, world.KeyOf("a", "s4"), world.options),
              HasSubstr("another step of ann to end: 2 hold machines, as many as team vision"));
}

TEST(TeamsTest, AQuotaHoldsForStepsThatRanBeforeTheyWait) {
  TeamEdit vision;
  vision.running_steps_max = 1;
  World world = WithTeams(vision);
  // Of a lower priority, and so old that they come before.
  world.SubmitAs("ann", "old", Steps(3));
  world.Wait(absl::Minutes(10));
  world.SubmitAs("cyd", "new", APipeline({AStep("s").Priority(1)}));
  world.Connect(AMachine("m").Cpus(8));
  EXPECT_EQ(PlacedOf(world, "ann"), 1U);
  EXPECT_EQ(PlacedOf(world, "cyd"), 1U);
}

TEST(TeamsTest, BelowWhatIsGuaranteedATeamGoesFirst) {
  TeamEdit speech;
  speech.cpu_millis_guaranteed = 3000;
  speech.weight = 0.001;
  World world = WithTeams({}, speech);
  world.SubmitAs("ann", "a", Steps(20));
  world.SubmitAs("cyd", "c", Steps(20));
  world.Connect(AMachine("m").Cpus(8));
  EXPECT_EQ(PlacedOf(world, "cyd"), 3U);
  EXPECT_EQ(PlacedOf(world, "ann"), 5U);
}

TEST(TeamsTest, WhoHadMuchWaitsUntilThePastIsForgotten) {
  TeamEdit both;
  both.half_life = absl::Hours(1);
  World world = WithTeams(both, both);
  world.Connect(AMachine("m").Cpus(4));
  world.SubmitAs("ann", "before", Steps(4));
  world.Wait(absl::Minutes(5));
  world.Heartbeat("m");
  // All of the machine for an hour.
  for (int i = 0; i < 12; ++i) {
    world.now += absl::Minutes(5);
    world.Heartbeat("m");
  }
  world.SubmitAs("ann", "a", Steps(4));
  world.SubmitAs("cyd", "c", Steps(4));
  std::vector<Report> ends;
  for (const char* const step : {"s0", "s1", "s2", "s3"}) {
    ends.push_back(Starts(world.Attempt("before", step)));
    ends.push_back(Succeeds(world.Attempt("before", step)));
  }
  world.Report("m", ends);
  // Half of an hour of it counts for ann: a quarter against what is held now.
  EXPECT_EQ(PlacedOf(world, "cyd"), 3U);
  EXPECT_EQ(PlacedOf(world, "ann"), 1U);
}

TEST(TeamsTest, AfterARestartEverybodyHasUsedWhatItHad) {
  TeamEdit both;
  both.half_life = absl::Hours(1);
  World world = WithTeams(both, both);
  world.Connect(AMachine("m").Cpus(4));
  world.SubmitAs("ann", "a", Steps(4));
  world.now += absl::Minutes(7);
  world.Report("m", {Starts(world.Attempt("a", "s0")), Succeeds(world.Attempt("a", "s0"))});
  const Use before = world.state.teams.at("vision").use;
  EXPECT_GT(before.past.cpu_millis, 0);
  const double score =
      ScoreOf(before, {}, absl::Hours(1), world.state.living, world.now + absl::Minutes(1));
  world.Restart();
  const Use& after = world.state.teams.at("vision").use;
  EXPECT_EQ(after.past, before.past);
  EXPECT_EQ(after.held, before.held);
  EXPECT_EQ(ScoreOf(after, {}, absl::Hours(1), world.state.living, world.now + absl::Minutes(1)),
            score);
}

TEST(TeamsTest, ARunStaysInTheTeamInWhichItWasSubmitted) {
  World world;
  world.SubmitAs("ann", "before", Steps(1));
  TeamEdit vision;
  vision.add_users = {"ann"};
  EXPECT_TRUE(world.Edit("vision", vision).ok());
  world.SubmitAs("ann", "after", Steps(1));
  EXPECT_EQ(world.state.runs.at(world.IdOf("before")).team, kDefaultTeam);
  EXPECT_EQ(world.state.runs.at(world.IdOf("after")).team, "vision");
  const absl::Status refused = world.Edit("vision", {}, Kind::kDelete);
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("has 1 run that has not ended"));
  world.Cancel("after");
  EXPECT_TRUE(world.Edit("vision", {}, Kind::kDelete).ok());
  EXPECT_EQ(TeamOf(world.state, "ann"), kDefaultTeam);
}

TEST(TeamsTest, ExplainSaysWhoseTurnItIs) {
  TeamEdit vision;
  vision.weight = 3;
  World world = WithTeams(vision);
  world.Connect(AMachine("m").Cpus(4));
  world.SubmitAs("cyd", "c", Steps(4));
  world.SubmitAs("cyd", "more", Steps(1));
  world.SubmitAs("ann", "a", Steps(2));
  world.SubmitAs("bob", "b", Steps(2));
  EXPECT_EQ(ExplainTurn(world.state, world.KeyOf("more", "s0"), world.now),
            "team speech (weight 1, holds 100.0% of the machines) is 2nd of 2 teams that wait with "
            "priority 0");
  EXPECT_THAT(ExplainTurn(world.state, world.KeyOf("b", "s0"), world.now),
              HasSubstr("is 1st of 2 teams that wait with priority 0; bob is 2nd of 2 users"));
  EXPECT_THAT(ExplainTurn(world.state, world.KeyOf("c", "s0"), world.now), IsEmpty());
}

TEST(TeamsTest, WhatMayNeverRunIsSaidAtOnce) {
  TeamEdit vision;
  vision.gpu_millis_max = 1000;
  const World world = WithTeams(vision);
  const auto plan = APlan({AStep("small").Gpus(1), AStep("large").Gpus(2)});
  const absl::Status refused = CheckQuota(world.state, *plan, "ann");
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("jobs.large: needs 2 GPUs, and the quota of team vision is 1"));
  EXPECT_TRUE(CheckQuota(world.state, *plan, "cyd").ok());
}

struct BadEdit {
  const char* name;
  TeamEdit edit;
  const char* said;
};

template <class T>
TeamEdit With(std::optional<T> TeamEdit::*field, T value) {
  TeamEdit edit;
  edit.*field = value;
  return edit;
}

TEST(TeamsTest, WhatIsWrongIsSaidAndChangesNothing) {
  TeamEdit vision;
  vision.cpu_millis_max = 2000;
  World world = WithTeams(vision);
  TeamEdit of_another;
  of_another.add_users = {"cyd"};
  TeamEdit of_nobody;
  of_nobody.remove_users = {"eve"};
  TeamEdit nameless;
  nameless.add_users = {""};
  const double infinity = std::numeric_limits<double>::infinity();
  const BadEdit bad[] = {
      {"vision", With(&TeamEdit::weight, -1.0), "weight: -1"},
      {"vision", With(&TeamEdit::weight, 0.0), "weight: 0"},
      {"vision", With(&TeamEdit::weight, std::nan("")), "weight: nan"},
      {"vision", With(&TeamEdit::weight, infinity), "weight: inf"},
      {"vision", With(&TeamEdit::half_life, absl::Seconds(-1)), "half-life: -1s"},
      {"vision", With(&TeamEdit::half_life, absl::InfiniteDuration()), "half-life: inf"},
      {"vision", With(&TeamEdit::cpu_millis_max, std::int64_t{-2}), "CPUs may be 0 or more"},
      {"vision", With(&TeamEdit::running_steps_max, std::int64_t{-5}), "-5 is no number"},
      {"vision", With(&TeamEdit::gpu_millis_guaranteed, std::int64_t{-1}), "GPUs may be 0"},
      {"vision",
       With(&TeamEdit::cpu_millis_guaranteed, std::int64_t{3000}),
       "guaranteed 3 CPUs, which is more than its limit of 2"},
      {"vision", of_another, "cyd is in team speech"},
      {"vision", of_nobody, "eve is not in team vision"},
      {"vision", nameless, "the name of a user"},
      {"default", of_another, "everybody who is in no other team"},
      {"nobody", {}, "there is no team 'nobody'"},
  };
  for (const BadEdit& one : bad) {
    const std::string before = StoredPartOf(world.state);
    const absl::Status refused = world.Edit(one.name, one.edit, Kind::kUpdate);
    EXPECT_FALSE(refused.ok()) << one.said;
    EXPECT_THAT(std::string(refused.message()), HasSubstr(one.said));
    EXPECT_THAT(world.last.changes, IsEmpty());
    EXPECT_EQ(StoredPartOf(world.state), before);
  }
  EXPECT_EQ(world.Edit("vision", {}).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(world.Edit("default", {}).code(), absl::StatusCode::kAlreadyExists);
  for (const char* const name : {"", "-x", "a b", "a/b"}) {
    EXPECT_EQ(world.Edit(name, {}).code(), absl::StatusCode::kInvalidArgument) << name;
  }
  EXPECT_EQ(world.Edit("default", {}, Kind::kDelete).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(world.Edit("default", With(&TeamEdit::weight, 2.0), Kind::kUpdate).ok());
}

}  // namespace
}  // namespace potok::server
