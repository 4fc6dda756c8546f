// Conditions and loops: what they make of their bodies, how they end, and what follows.
#include "common/pipeline/control.h"
#include "gmock/gmock.h"
#include "tests/server/domain/flow_builders.h"

namespace potok::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

World WithMachine(int cpus = 4) {
  World world;
  world.Connect(AMachine("m1").Cpus(cpus));
  return world;
}

void Finish(World& world, const std::string& step, std::vector<OutputValue> outputs = {}) {
  world.Report("m1", {Succeeds(world.Attempt("r", step), std::move(outputs))});
}
void Break(World& world, const std::string& step) {
  world.Report("m1", {Fails(world.Attempt("r", step))});
}

std::vector<std::string> TextsOf(const StartOrder& order) {
  std::vector<std::string> texts;
  for (const OrderInput& input : order.inputs) {
    const auto* text = std::get_if<std::string>(&input.value);
    texts.push_back(text == nullptr ? "files" : *text);
  }
  return texts;
}

// --- if_else

Step AnIf(const std::string& condition) {
  return AControl(AStep("choose")
                      .Text(kConditionInput, condition, ValueType::kBoolean)
                      .Output(kTakenOutput, ValueType::kBoolean),
                  Condition{},
                  {});
}

TEST(FlowTest, AConditionDecidesWithoutAMachineWhichBlockRuns) {
  World world = WithMachine();
  world.Submit("r",
               APipeline({AStep("check").Output("good", ValueType::kBoolean),
                          AnIf(OutputOf("check", "good")),
                          When(AStep("yes"), "jobs.choose.outputs.taken"),
                          When(AStep("no"), "not jobs.choose.outputs.taken"),
                          AStep("after_no").After("no")}));
  EXPECT_EQ(world.StateOf("r", "choose"), "Blocked");
  Finish(world, "check", {Word("good", "true")});
  EXPECT_EQ(world.In<Succeeded>("r", "choose").outputs[0], Word("taken", "True"));
  EXPECT_EQ(world.StateOf("r", "yes"), "Assigned");
  EXPECT_EQ(world.In<Skipped>("r", "no").reason,
            "its condition is not met: not jobs.choose.outputs.taken");
  EXPECT_EQ(world.In<Skipped>("r", "after_no").reason, "needs step 'no', which was skipped");
  Finish(world, "yes");
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kCompleted);
}

TEST(FlowTest, AConditionOnALiteralIsDecidedWithTheSubmission) {
  World world = WithMachine();
  world.Submit("r", APipeline({AnIf("false"), When(AStep("yes"), "jobs.choose.outputs.taken")}));
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kCompleted);
  EXPECT_EQ(world.StateOf("r", "yes"), "Skipped");
}

// --- do_while

Step ADoWhile(int limit, const std::string& condition = "more") {
  DoWhile loop;
  loop.condition = condition;
  loop.mapping = {{"next", {"start"}}};
  loop.max_iterations = limit;
  return AControl(
      AStep("loop").Text("start", "0", ValueType::kInteger).Output("next", ValueType::kInteger),
      loop,
      {Promoting(Promoting(AStep("")
                               .Text("from", ParentInputOf("start"), ValueType::kInteger)
                               .Output("to", ValueType::kInteger)
                               .Output("again", ValueType::kBoolean),
                           "to",
                           "next"),
                 "again",
                 "more")});
}

TEST(FlowTest, ALoopGoesOnWhileItsConditionHoldsAndFeedsOutputsToInputs) {
  World world = WithMachine();
  world.Submit("r",
               APipeline({ADoWhile(10),
                          AStep("use").Text("n", OutputOf("loop", "next"), ValueType::kInteger)}));
  EXPECT_EQ(world.StateOf("r", "loop"), "Open");
  EXPECT_THAT(TextsOf(world.Starts().at(0)), ElementsAre("0"));
  Finish(world, "loop[0]", {Word("to", "5"), Word("again", "True")});
  EXPECT_EQ(world.StateOf("r", "loop[1]"), "Assigned");
  EXPECT_THAT(TextsOf(world.Starts().at(0)), ElementsAre("5"));
  Finish(world, "loop[1]", {Word("to", "7"), Word("again", "false")});
  EXPECT_FALSE(world.Has("r", "loop[2]"));
  EXPECT_THAT(world.In<Succeeded>("r", "loop").outputs, ElementsAre(Word("next", "7")));
  EXPECT_THAT(TextsOf(world.Starts().at(0)), ElementsAre("7"));
  Finish(world, "use");
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kCompleted);
}

TEST(FlowTest, ALoopEndsAtItsLimitThoughItsConditionHolds) {
  World world = WithMachine();
  world.Submit("r", APipeline({ADoWhile(2)}));
  Finish(world, "loop[0]", {Word("to", "1"), Word("again", "True")});
  Finish(world, "loop[1]", {Word("to", "2"), Word("again", "True")});
  EXPECT_THAT(world.In<Succeeded>("r", "loop").outputs, ElementsAre(Word("next", "2")));
}

TEST(FlowTest, ALoopFailsWithItsBody) {
  World world = WithMachine();
  world.Submit("r", APipeline({ADoWhile(9), AStep("after").After("loop")}));
  Finish(world, "loop[0]", {Word("to", "1"), Word("again", "True")});
  Break(world, "loop[1]");
  EXPECT_EQ(world.In<Failed>("r", "loop").failure.message,
            "iteration 1: step 'loop[1]' failed: it broke");
  EXPECT_EQ(world.StateOf("r", "after"), "Skipped");
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kFailed);
  EXPECT_THAT(world.LastMove("r").reason, HasSubstr("step 'loop' failed: iteration 1"));
}

// The body of two steps: the second is of no use once the first has failed.
Step ALoopOfTwo() {
  DoWhile loop;
  loop.condition = "true";
  loop.max_iterations = 3;
  return AControl(AStep("loop"), loop, {AStep("a"), AStep("b")});
}

TEST(FlowTest, AnIterationThatFailsIsFinishedUnlessAFailureStopsAll) {
  World world = WithMachine();
  world.Submit("r", APipeline({ALoopOfTwo(), AStep("other")}));
  Break(world, "loop[0]/a");
  EXPECT_EQ(world.StateOf("r", "loop"), "Open");
  EXPECT_EQ(world.StateOf("r", "loop[0]/b"), "Assigned");
  Finish(world, "loop[0]/b");
  EXPECT_EQ(world.StateOf("r", "loop"), "Failed");
  EXPECT_FALSE(world.Has("r", "loop[1]/a"));
  EXPECT_EQ(world.StateOf("r", "other"), "Assigned");

  World strict = WithMachine();
  strict.Submit("r", AFailFastPipeline({ALoopOfTwo(), AStep("other")}));
  Break(strict, "loop[0]/a");
  EXPECT_EQ(strict.In<Failed>("r", "loop").failure.message, "step 'loop[0]/a' failed: it broke");
  EXPECT_EQ(strict.StateOf("r", "loop[0]/b"), "Stopping");
  EXPECT_EQ(strict.StateOf("r", "other"), "Stopping");
  strict.Report("m1",
                {Stops(strict.Attempt("r", "loop[0]/b")), Stops(strict.Attempt("r", "other"))});
  EXPECT_EQ(strict.LastMove("r").status, RunStatus::kFailed);
}

TEST(FlowTest, ALoopOnTrueEndsAtItsLimit) {
  World world = WithMachine();
  world.Submit("r", APipeline({ALoopOfTwo()}));
  for (const char* name : {"loop[0]/", "loop[1]/", "loop[2]/"}) {
    Finish(world, std::string(name) + "a");
    Finish(world, std::string(name) + "b");
  }
  EXPECT_FALSE(world.Has("r", "loop[3]/a"));
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kCompleted);
}

TEST(FlowTest, AnIterationThatLeavesAMappedOutputOutFailsTheLoop) {
  World world = WithMachine();
  world.Submit("r", APipeline({ADoWhile(9)}));
  Finish(world, "loop[0]", {Word("again", "True")});
  EXPECT_EQ(world.In<Failed>("r", "loop").failure.message,
            "iteration 0 ended without its output 'next', which the next one takes");
}

TEST(FlowTest, AnIfInALoopIsDecidedForEachIteration) {
  DoWhile loop;
  loop.condition = "more";
  loop.max_iterations = 9;
  const Step check = Promoting(AStep("check").Output("good", ValueType::kBoolean), "good", "more");
  World world = WithMachine();
  world.Submit("r",
               APipeline({AControl(AStep("loop"),
                                   loop,
                                   {check,
                                    AnIf(OutputOf("check", "good")),
                                    When(AStep("yes"), "jobs.choose.outputs.taken"),
                                    When(AStep("no"), "not jobs.choose.outputs.taken")})}));
  Finish(world, "loop[0]/check", {Word("good", "True")});
  EXPECT_EQ(world.StateOf("r", "loop[0]/choose"), "Succeeded");
  EXPECT_EQ(world.StateOf("r", "loop[0]/no"), "Skipped");
  EXPECT_FALSE(world.Has("r", "loop[1]/check"));
  Finish(world, "loop[0]/yes");
  Finish(world, "loop[1]/check", {Word("good", "False")});
  EXPECT_EQ(world.StateOf("r", "loop[1]/yes"), "Skipped");
  Finish(world, "loop[1]/no");
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kCompleted);
}

TEST(FlowTest, ABodyHasThePriorityOfItsLoopUnlessItSaysOtherwise) {
  World world;
  Step loop = ALoopOfTwo();
  loop.priority = 5;
  auto control = std::make_shared<Control>(*loop.control);
  control->body[1].priority = -2;
  loop.control = control;
  world.Submit("r", APipeline({loop}));
  const RunRecord& run = world.state.runs.at(world.KeyOf("r", "loop[0]/a").run);
  EXPECT_EQ(PriorityOf(run, world.KeyOf("r", "loop[0]/a").index), 5);
  EXPECT_EQ(PriorityOf(run, world.KeyOf("r", "loop[0]/b").index), -2);
}

TEST(FlowTest, ALoopWhoseBodyDoesNotDecideFails) {
  World world = WithMachine();
  world.Submit("r", APipeline({ADoWhile(9)}));
  Finish(world, "loop[0]", {Word("to", "1"), Word("again", "perhaps")});
  EXPECT_THAT(world.In<Failed>("r", "loop").failure.message, HasSubstr("'perhaps' for 'more'"));
  World other = WithMachine();
  other.Submit("r", APipeline({ADoWhile(9)}));
  Finish(other, "loop[0]", {Word("to", "1")});
  EXPECT_THAT(other.In<Failed>("r", "loop").failure.message, HasSubstr("no value for 'more'"));
}

TEST(FlowTest, CancelEndsALoopAndWhatItRuns) {
  World world = WithMachine();
  world.Submit("r", APipeline({ADoWhile(9)}));
  world.Cancel("r");
  EXPECT_EQ(world.StateOf("r", "loop"), "Canceled");
  EXPECT_EQ(world.StateOf("r", "loop[0]"), "Stopping");
  world.Report("m1", {Stops(world.Attempt("r", "loop[0]"))});
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kCanceled);
}

}  // namespace
}  // namespace potok::server
