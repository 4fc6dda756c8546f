#include "server/domain/order.h"

#include "common/pipeline/control.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/domain/flow_builders.h"

namespace potok::server {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// A run of this step alone, on machine 1.
RunRecord ARunOf(Step step) {
  PipelineSpec spec;
  spec.steps = {std::move(step)};
  RunRecord run;
  run.id = 1;
  run.name = "run";
  const auto plan = RebuildPlan(std::move(spec));
  EXPECT_TRUE(plan.ok()) << plan.status();
  run.plan = *plan;
  run.steps.resize(1);
  run.steps[0].attempt = 1;
  run.steps[0].SetState(Assigned{{1, {}}});
  return run;
}

TEST(OrderTest, OrdersTheCommandOfAStep) {
  const auto order = BuildStartOrder(ARunOf(AStep("train").Command("python train.py")), 0);
  ASSERT_TRUE(order.ok()) << order.status();
  EXPECT_EQ(order->command, "python train.py");
}

TEST(OrderTest, OrdersTheRunnerForAStepOfMiniBatches) {
  Parallel parallel;
  parallel.entry_script = "score.py";
  parallel.input_data = "images";
  parallel.append_row_to = "rows";
  parallel.program_arguments = "--a ${{inputs.a}} $[[--b ${{inputs.b}}]]";
  Step step = AStep("score").Text("a", "1", ValueType::kString).Output("rows", ValueType::kUriFile);
  step.command.clear();
  step.control = std::make_shared<const Control>(Control{parallel, {}});
  const auto order = BuildStartOrder(ARunOf(std::move(step)), 0);
  ASSERT_TRUE(order.ok()) << order.status();
  EXPECT_THAT(order->command,
              AllOf(HasSubstr("/potok_parallel\" --settings '{\"entry_script\": \"score.py\""),
                    HasSubstr("--input ${{inputs.images}} --append-to ${{outputs.rows}}")));
  EXPECT_TRUE(order->command.ends_with(" -- --a ${{inputs.a}} ")) << order->command;
}

// Inputs of loops and sweeps without a value get one for each item or trial; those of other steps
// are missed at once.
TEST(OrderTest, OnlyALoopOverItemsAndASweepOpenWithoutAllValues) {
  struct Case {
    decltype(Control::kind) kind;
    bool opens;
  };
  const std::vector<Case> cases = {{ParallelFor{}, true},
                                   {Sweep{}, true},
                                   {DoWhile{"true", {}, 1}, false},
                                   {Condition{}, false},
                                   {Parallel{}, false}};
  for (const Case& one : cases) {
    const Step body = AStep("");
    const RunRecord run = ARunOf(
        AControl(AStep("s").Text("a", "1", ValueType::kString).Unset("x", ValueType::kNumber),
                 one.kind,
                 {body}));
    const auto inputs = ResolveInputs(run, 0);
    EXPECT_EQ(inputs.ok(), one.opens) << one.kind.index();
    if (one.opens) {
      ASSERT_EQ(inputs->size(), 1U);
      EXPECT_EQ(inputs->front().input, 0U);
    } else {
      EXPECT_THAT(std::string(inputs.status().message()),
                  HasSubstr("input 'x' has no value and is not optional"));
    }
  }
}

TEST(OrderTest, AStepWithoutAValueThatItNeedsIsMissingItAndAnOptionalOneIsLeftOut) {
  const RunRecord needs = ARunOf(AStep("s").Unset("x", ValueType::kNumber));
  EXPECT_FALSE(ResolveInputs(needs, 0).ok());
  Step optional = AStep("s").Unset("x", ValueType::kNumber);
  optional.inputs.front().optional = true;
  const auto inputs = ResolveInputs(ARunOf(optional), 0);
  ASSERT_TRUE(inputs.ok()) << inputs.status();
  EXPECT_TRUE(inputs->empty());
}

}  // namespace
}  // namespace potok::server
