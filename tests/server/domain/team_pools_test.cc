// What teams may have and are guaranteed in single pools.
#include <limits>

#include "gmock/gmock.h"
#include "server/domain/explain_team.h"
#include "server/domain/placement.h"
#include "server/domain/pools.h"
#include "tests/server/domain/builders.h"

namespace potok::server {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr auto kUpdate = TeamEdited::Kind::kUpdate;

// Two pools of machines with 8 CPUs each; ann is of vision, cyd of speech.
World TwoPools() {
  World world;
  TeamEdit vision;
  vision.add_users = {"ann"};
  TeamEdit speech;
  speech.add_users = {"cyd"};
  EXPECT_TRUE(world.Edit("vision", vision).ok());
  EXPECT_TRUE(world.Edit("speech", speech).ok());
  world.Connect(AMachine("big").Cpus(8).Gpus(2).Pool("gpus"));
  world.Connect(AMachine("small").Cpus(8));
  return world;
}

TeamEdit EditIn(const PoolShareEdit& pool) {
  TeamEdit edit;
  edit.pools = {pool};
  return edit;
}
absl::Status LimitCpus(World& world, const std::string& pool, std::int64_t cpus) {
  PoolShareEdit edit{pool};
  edit.cpu_millis_max = cpus * 1000;
  return world.Edit("vision", EditIn(edit), kUpdate);
}

PipelineSpec StepsIn(const std::string& pool, std::size_t count) {
  std::vector<Step> steps;
  for (std::size_t i = 0; i < count; ++i) {
    steps.push_back(AStep("s" + std::to_string(i)).Cpus(1000).Pool(pool));
  }
  return APipeline(std::move(steps));
}

std::size_t RunningOf(const World& world, const std::string& run) {
  std::size_t count = 0;
  for (const StepRecord& step : world.state.runs.at(world.state.run_by_name.at(run)).steps) {
    if (PlacementOf(step.state()) != nullptr) ++count;
  }
  return count;
}

TEST(TeamPoolsTest, ALimitHoldsInItsPoolAndNowhereElse) {
  World world = TwoPools();
  ASSERT_TRUE(LimitCpus(world, "gpus", 2).ok());
  world.SubmitAs("ann", "a", StepsIn("gpus", 4));
  world.SubmitAs("ann", "b", StepsIn("", 4));
  world.SubmitAs("cyd", "c", StepsIn("gpus", 4));
  EXPECT_EQ(RunningOf(world, "a"), 2U);
  EXPECT_EQ(RunningOf(world, "b"), 4U);
  EXPECT_EQ(RunningOf(world, "c"), 4U);
  EXPECT_EQ(CountWaitingForQuota(world.state), 2U);
  EXPECT_EQ(ExplainWaiting(world.state, world.KeyOf("a", "s3"), world.options),
            "its quota: team vision holds 2 of its 2 CPUs in pool gpus, and this needs 1");
  EXPECT_THAT(CheckInvariants(world.state), IsEmpty());
  ASSERT_TRUE(LimitCpus(world, "gpus", 3).ok());
  EXPECT_EQ(RunningOf(world, "a"), 3U);
}

TEST(TeamPoolsTest, TheDefaultPoolHasItsNameWhateverStepsCallIt) {
  World world = TwoPools();
  ASSERT_TRUE(LimitCpus(world, "serverless", 1).ok());
  EXPECT_TRUE(world.state.teams.at("vision").facts.pools.contains("default"));
  world.SubmitAs("ann", "a", StepsIn("", 2));
  world.SubmitAs("ann", "b", StepsIn("serverless", 2));
  EXPECT_EQ(RunningOf(world, "a") + RunningOf(world, "b"), 1U);
}

TEST(TeamPoolsTest, MembersOfAStepAreCountedTogether) {
  World world = TwoPools();
  PoolShareEdit edit{"gpus"};
  edit.running_steps_max = 3;
  ASSERT_TRUE(world.Edit("vision", EditIn(edit), kUpdate).ok());
  Step pair = AStep("pair").Cpus(1000).Pool("gpus");
  pair.instance_count = 2;
  Step other = pair;
  other.name = "other";
  world.SubmitAs("ann", "a", APipeline({pair, other}));
  EXPECT_EQ(RunningOf(world, "a"), 2U);
}

TEST(TeamPoolsTest, WhoIsBelowWhatThePoolGuaranteesIsFirstThereOnly) {
  World world = TwoPools();
  PoolShareEdit edit{"gpus"};
  edit.gpu_millis_guaranteed = 1000;
  ASSERT_TRUE(world.Edit("speech", EditIn(edit), kUpdate).ok());
  world.SubmitAs("eve", "full", StepsIn("gpus", 8));
  world.SubmitAs("eve", "too", StepsIn("", 8));
  world.SubmitAs("ann", "a", APipeline({AStep("s").Cpus(1000).Gpus(1).Pool("gpus")}));
  world.SubmitAs("ann", "b", StepsIn("", 1));
  world.SubmitAs("cyd", "c", APipeline({AStep("s").Cpus(1000).Gpus(1).Pool("gpus")}));
  world.SubmitAs("cyd", "d", StepsIn("", 1));
  world.Report("small", {Starts(world.Attempt("too", "s0")), Succeeds(world.Attempt("too", "s0"))});
  EXPECT_EQ(RunningOf(world, "b"), 1U);
  EXPECT_EQ(RunningOf(world, "d"), 0U);
  world.Report("big", {Starts(world.Attempt("full", "s0")), Succeeds(world.Attempt("full", "s0"))});
  EXPECT_EQ(RunningOf(world, "c"), 1U);
  EXPECT_EQ(RunningOf(world, "a"), 0U);
}

TEST(TeamPoolsTest, WhatCanNeverFitIsRefused) {
  World world = TwoPools();
  ASSERT_TRUE(LimitCpus(world, "gpus", 2).ok());
  const auto elsewhere = APlan({AStep("large").Cpus(3000)});
  EXPECT_TRUE(CheckQuota(world.state, *elsewhere, "ann").ok());
  const auto plan = APlan({AStep("large").Cpus(3000).Pool("gpus")});
  const absl::Status refused = CheckQuota(world.state, *plan, "ann");
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("jobs.large: needs 3 CPUs in pool gpus, and the quota of team vision there "
                        "is 2"));
  EXPECT_TRUE(CheckQuota(world.state, *plan, "cyd").ok());
}

absl::Status MoveTo(World& world, const std::string& run, const std::string& pool) {
  world.Turn({MoveRequested{77, run, std::nullopt, pool}});
  return world.Said<Answer>().front().status;
}

// It was moved, and waited for ever.
TEST(TeamPoolsTest, ARunIsNotMovedToWhereItsTeamMayNeverHaveWhatItAsksFor) {
  World world = TwoPools();
  ASSERT_TRUE(LimitCpus(world, "gpus", 2).ok());
  ASSERT_TRUE(LimitCpus(world, kDefaultPool, 6).ok());
  world.SubmitAs("ann", "r", APipeline({AStep("small"), AStep("large").Cpus(3000).After("small")}));
  world.SubmitAs("cyd", "theirs", APipeline({AStep("large").Cpus(3000)}));
  const absl::Status refused = MoveTo(world, "r", "gpus");
  EXPECT_TRUE(absl::IsFailedPrecondition(refused));
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("jobs.large: needs 3 CPUs in pool gpus, and the quota of team vision there "
                        "is 2"));
  EXPECT_THAT(world.last.changes, IsEmpty());
  EXPECT_TRUE(MoveTo(world, "theirs", "gpus").ok());
  // Nothing is larger than what it may have there.
  EXPECT_TRUE(MoveTo(world, "r", "").ok());
}

TEST(TeamPoolsTest, WhatHasEndedKeepsNoRunFromBeingMoved) {
  World world = TwoPools();
  ASSERT_TRUE(LimitCpus(world, "gpus", 2).ok());
  world.SubmitAs("ann", "r", APipeline({AStep("large").Cpus(3000), AStep("b").After("large")}));
  EXPECT_FALSE(MoveTo(world, "r", "gpus").ok());
  world.Report("small", {Starts(world.Attempt("r", "large"))});
  world.Report("small", {Succeeds(world.Attempt("r", "large"))});
  EXPECT_TRUE(MoveTo(world, "r", "gpus").ok());
}

std::string RefusalOf(World& world, const PoolShareEdit& edit) {
  const absl::Status status = world.Edit("vision", EditIn(edit), kUpdate);
  EXPECT_FALSE(status.ok());
  EXPECT_TRUE(world.state.teams.at("vision").facts.pools.empty());
  return std::string(status.message());
}

TEST(TeamPoolsTest, WhatIsWrongIsRefusedAndChangesNothing) {
  World world = TwoPools();
  PoolShareEdit unknown{"gpu"};
  unknown.gpu_millis_max = 1;
  EXPECT_THAT(RefusalOf(world, unknown),
              AllOf(HasSubstr("there is no pool 'gpu' (did you mean 'gpus'?)"),
                    EndsWith("; the team was not changed")));
  EXPECT_THAT(std::string(world.Edit("new", EditIn(unknown)).message()),
              EndsWith("; the team was not created"));
  EXPECT_FALSE(world.state.teams.contains("new"));
  PoolShareEdit negative{"gpus"};
  negative.gpu_millis_max = -2;
  EXPECT_THAT(RefusalOf(world, negative), HasSubstr("GPUs may be 0 or more"));
  PoolShareEdit absurd{"gpus"};
  absurd.memory_bytes_guaranteed = std::numeric_limits<std::int64_t>::max();
  EXPECT_THAT(RefusalOf(world, absurd), HasSubstr("GiB of memory may be 0 or more"));
  PoolShareEdit beyond{"gpus"};
  beyond.gpu_millis_max = 1000;
  beyond.gpu_millis_guaranteed = 2000;
  EXPECT_THAT(RefusalOf(world, beyond),
              HasSubstr("guaranteed 2 GPUs in pool gpus, which is more than its limit of 1 there"));
  TeamEdit all;
  all.cpu_millis_max = 4000;
  ASSERT_TRUE(world.Edit("vision", all, kUpdate).ok());
  PoolShareEdit above{"gpus"};
  above.cpu_millis_guaranteed = 5000;
  EXPECT_THAT(RefusalOf(world, above), HasSubstr("its limit of 4 over all pools"));
}

TEST(TeamPoolsTest, WhatIsSaidIsTakenBackAlsoOfAPoolThatIsGone) {
  World world = TwoPools();
  ASSERT_TRUE(LimitCpus(world, "gpus", 2).ok());
  world.Connect(AMachine("big").Cpus(8));
  PoolShareEdit none{"gpus"};
  none.cpu_millis_max = kNoLimit;
  ASSERT_TRUE(world.Edit("vision", EditIn(none), kUpdate).ok());
  EXPECT_THAT(world.state.teams.at("vision").facts.pools, IsEmpty());
}

}  // namespace
}  // namespace potok::server
