// How plans grow: the steps that a control step makes of its body.
#include "server/domain/expand.h"

#include "common/pipeline/control.h"
#include "gmock/gmock.h"
#include "tests/server/domain/flow_builders.h"

namespace potok::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A step and a sweep over two steps, of which the second takes what the first makes.
PipelineSpec ATunedPipeline(const Sweep& sweep = {}) {
  const Step first =
      AStep("fit").Text("lr", ParentInputOf("lr"), ValueType::kNumber).Output("model");
  const Step second = AStep("score").Data("model", OutputOf("fit", "model"));
  return APipeline(
      {AStep("before"),
       AControl(
           AStep("tune").Pool("gpu").Unset("lr", ValueType::kNumber), sweep, {first, second})});
}
std::shared_ptr<const Plan> ATunedPlan() {
  auto plan = RebuildPlan(ATunedPipeline());
  EXPECT_TRUE(plan.ok()) << plan.status();
  return *plan;
}

StepsAdded ATrial(std::uint32_t first = 2, std::uint32_t ordinal = 0) {
  StepsAdded added;
  added.run = 1;
  added.control = 1;
  added.ordinal = ordinal;
  added.label = std::to_string(ordinal);
  added.first = first;
  added.count = 2;
  added.values = {Word("lr", "0.5")};
  return added;
}

TEST(ExpandTest, NamesNumbersAndReferencesOfTheNewStepsAreTheirOwn) {
  std::shared_ptr<const Plan> plan = ATunedPlan();
  for (std::uint32_t trial = 0; trial < 2; ++trial) {
    auto segment = Expand(*plan, ATrial(plan->size(), trial));
    ASSERT_TRUE(segment.ok()) << segment.status();
    Grow(*std::move(segment), &plan);
  }
  ASSERT_EQ(plan->size(), 6U);
  EXPECT_EQ(plan->NameOf(4), "tune[1]/fit");
  EXPECT_EQ(plan->Find("tune[1]/score"), 5U);
  ASSERT_EQ(plan->planned(5).upstreams.size(), 1U);
  EXPECT_EQ(plan->planned(5).upstreams[0].step, 4U);
  EXPECT_THAT(plan->planned(4).dependents, ElementsAre(5U));
  const auto& parts = std::get<std::vector<PlanPart>>(plan->planned(5).inputs[0].value);
  EXPECT_EQ(std::get<UpstreamOutput>(parts.at(0)).step, 4U);
  EXPECT_EQ(plan->SegmentOf(5).control, 1U);
  EXPECT_EQ(plan->SegmentOf(5).ordinal, 1U);
  EXPECT_EQ(plan->shape_of(4).pool, "gpu");
}

TEST(ExpandTest, WhatTheStepsOfTwoTimesHaveInCommonIsThereOnce) {
  std::shared_ptr<const Plan> plan = ATunedPlan();
  for (std::uint32_t trial = 0; trial < 2; ++trial) {
    StepsAdded added = ATrial(plan->size(), trial);
    added.values = {Word("lr", std::to_string(trial))};
    Grow(*Expand(*plan, added), &plan);
  }
  EXPECT_EQ(&plan->definition(2), &plan->definition(4));
  EXPECT_EQ(&plan->definition(3), &plan->definition(5));
  EXPECT_NE(&plan->definition(4), &plan->definition(5));
}

TEST(ExpandTest, ValuesOfTheTimeAreLiteralsOfItsSteps) {
  const auto plan = ATunedPlan();
  const auto segment = Expand(*plan, ATrial());
  ASSERT_TRUE(segment.ok()) << segment.status();
  const auto& parts = std::get<std::vector<PlanPart>>((*segment)->steps[0].inputs[0].value);
  EXPECT_EQ(std::get<std::string>(parts.at(0)), "0.5");
}

TEST(ExpandTest, TheShorterOfATrialsTwoTimeLimitsHolds) {
  Sweep sweep;
  sweep.trial_timeout_seconds = 60;
  PipelineSpec spec = ATunedPipeline(sweep);
  auto control = std::make_shared<Control>(*spec.steps[1].control);
  control->body[0].timeout_seconds = 5;
  control->body[1].timeout_seconds = 500;
  spec.steps[1].control = control;
  const auto plan = *RebuildPlan(spec);
  const auto segment = Expand(*plan, ATrial());
  ASSERT_TRUE(segment.ok()) << segment.status();
  EXPECT_EQ((*segment)->steps.definition(0).timeout_seconds, 5);
  EXPECT_EQ((*segment)->steps.definition(1).timeout_seconds, 60);
}

TEST(ExpandTest, AChangeThatIsNotAboutThePlanIsRefused) {
  const auto plan = ATunedPlan();
  const auto why = [&](const StepsAdded& added) {
    const auto segment = Expand(*plan, added);
    EXPECT_EQ(segment.status().code(), absl::StatusCode::kInternal);
    return std::string(segment.status().message());
  };
  EXPECT_THAT(why(ATrial(3)), HasSubstr("steps from 3 on cannot be added to a plan of 2 steps"));
  StepsAdded of_none = ATrial();
  of_none.control = 0;
  EXPECT_THAT(why(of_none), HasSubstr("'before' has no body of 2 steps"));
  of_none.control = 9;
  EXPECT_THAT(why(of_none), HasSubstr("cannot be added"));
  StepsAdded longer = ATrial();
  longer.count = 3;
  EXPECT_THAT(why(longer), HasSubstr("'tune' has no body of 3 steps"));
}

TEST(ExpandTest, WhoHoldsAPlanDoesNotSeeItGrow) {
  std::shared_ptr<const Plan> plan = ATunedPlan();
  const std::shared_ptr<const Plan> held = plan;
  Grow(*Expand(*plan, ATrial()), &plan);
  EXPECT_EQ(held->size(), 2U);
  EXPECT_EQ(plan->size(), 4U);
  EXPECT_EQ(plan->segments[0], held->segments[0]);
  const Plan* alone = plan.get();
  Grow(*Expand(*plan, ATrial(4, 1)), &plan);
  EXPECT_EQ(plan.get(), alone);
}

TEST(ExpandTest, AnOutputOfABodyIsThePromotedOneOrThatOfItsOnlyStep) {
  Control control;
  control.body = {Promoting(AStep("a").Output("x").Output("y"), "x", "best")};
  std::uint32_t step = 9;
  EXPECT_EQ(FindBodyOutput(control, "best", &step)->name, "x");
  EXPECT_EQ(step, 0U);
  EXPECT_EQ(FindBodyOutput(control, "x", &step), nullptr);
  EXPECT_EQ(FindBodyOutput(control, "y", &step)->name, "y");
  control.body.push_back(Promoting(AStep("b").Output("z"), "z", "last"));
  EXPECT_EQ(FindBodyOutput(control, "y", &step), nullptr);
  EXPECT_EQ(FindBodyOutput(control, "last", &step)->name, "z");
  EXPECT_EQ(step, 1U);
}

}  // namespace
}  // namespace potok::server
