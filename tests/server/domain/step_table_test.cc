#include "server/domain/step_table.h"

#include "gmock/gmock.h"
#include "tests/server/domain/builders.h"

namespace potok::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// With nothing found of them.
StepTable TableOf(std::vector<Step> steps, absl::Span<const StepTable* const> kin = {}) {
  std::vector<DraftStep> drafts(steps.size());
  for (std::size_t i = 0; i < steps.size(); ++i) drafts[i].inputs.resize(steps[i].inputs.size());
  return {std::move(steps), drafts, kin};
}

TEST(StepTableTest, StepsThatDifferInNamesAndValuesHaveOneDefinition) {
  std::vector<Step> steps;
  for (int i = 0; i < 100; ++i) {
    Step step =
        AStep("fold" + std::to_string(i)).Text("number", std::to_string(i), ValueType::kString);
    if (i > 0) step.depends_on = {"fold" + std::to_string(i - 1)};
    steps.push_back(std::move(step));
  }
  const StepTable table = TableOf(std::move(steps));
  EXPECT_EQ(table.size(), 100U);
  EXPECT_EQ(table.definitions().size(), 1U);
  EXPECT_EQ(table.NameOf(42), "fold42");
  EXPECT_EQ(&table.definition(0), &table.definition(99));
  EXPECT_EQ(table.definition(7).inputs.front().name, "number");
  EXPECT_THAT(table.definition(7).name, IsEmpty());
  EXPECT_THAT(table.definition(7).depends_on, IsEmpty());
}

TEST(StepTableTest, WhatIsOtherwiseSaidMakesAnotherDefinition) {
  Step longer = AStep("b");
  longer.timeout_seconds = 60;
  Step other = AStep("c");
  other.command = "other";
  Step mapped = AStep("d").Text("x", "1", ValueType::kString);
  Step optional = AStep("e").Text("x", "1", ValueType::kString);
  optional.inputs.front().optional = true;
  const StepTable table = TableOf({AStep("a"), longer, other, mapped, optional});
  EXPECT_EQ(table.definitions().size(), 5U);
  EXPECT_EQ(table.definition(1).timeout_seconds, 60);
  EXPECT_EQ(table.definition(2).command, "other");
  EXPECT_TRUE(table.definition(4).inputs.front().optional);
}

TEST(StepTableTest, KinShareTheirDefinitions) {
  const StepTable one = TableOf({AStep("a")});
  const StepTable* const kin[] = {&one};
  Step changed = AStep("c");
  changed.priority = 7;
  const StepTable two = TableOf({AStep("b"), changed}, kin);
  EXPECT_EQ(&one.definition(0), &two.definition(0));
  EXPECT_NE(&one.definition(0), &two.definition(1));
}

TEST(StepTableTest, StepsAreFoundByTheirNames) {
  const StepTable table = TableOf({AStep("beta"), AStep("alpha"), AStep("alp"), AStep("gamma")});
  EXPECT_EQ(table.Find("alpha"), 1U);
  EXPECT_EQ(table.Find("alp"), 2U);
  EXPECT_EQ(table.Find("gamma"), 3U);
  EXPECT_EQ(table.Find("al"), std::nullopt);
  EXPECT_EQ(table.Find("zeta"), std::nullopt);
  EXPECT_EQ(table.Find(""), std::nullopt);
  EXPECT_EQ(StepTable().Find("a"), std::nullopt);
}

TEST(StepTableTest, EachStepHasWhatWasFoundOfIt) {
  std::vector<DraftStep> drafts(3);
  drafts[0].dependents = {1, 2};
  drafts[1].upstreams = {{0, true, false}};
  drafts[2].upstreams = {{0, false, true}, {1, true, true}};
  drafts[1].dependents = {2};
  drafts[2].inputs = {PlanInput{std::vector<PlanPart>{UpstreamOutput{1, 0}}}};
  StepTable table(
      {AStep("a"), AStep("b"), AStep("c").Text("x", "1", ValueType::kString)}, drafts, {});
  table.SetShape(1, 5);  // of "c", the only one of another definition
  EXPECT_THAT(table[0].dependents, ElementsAre(1U, 2U));
  EXPECT_THAT(table[0].upstreams, IsEmpty());
  ASSERT_EQ(table[1].upstreams.size(), 1U);
  EXPECT_FALSE(table[1].upstreams[0].has_value);
  ASSERT_EQ(table[2].upstreams.size(), 2U);
  EXPECT_FALSE(table[2].upstreams[0].required);
  EXPECT_EQ(table[2].inputs.size(), 1U);
  EXPECT_THAT(table[2].dependents, IsEmpty());
  EXPECT_EQ(table[0].shape, 0U);
  EXPECT_EQ(table[2].shape, 5U);
}

}  // namespace
}  // namespace potok::server
