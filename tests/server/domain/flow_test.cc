// Control steps: what they make of their bodies, how they end, and what follows.
#include "common/pipeline/control.h"
#include "gmock/gmock.h"
#include "tests/server/domain/flow_builders.h"

namespace potok::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

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
  EXPECT_EQ(world.StepOf("r", "loop[0]/a").priority, 5);
  EXPECT_EQ(world.StepOf("r", "loop[0]/b").priority, -2);
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

// --- parallel_for

// Over items with the key "i".
AStep Folds() {
  return AStep("fold").Unset("i", ValueType::kInteger);
}

Step AFold() {
  return Promoting(AStep("fit")
                       .Text("i", ParentInputOf("i"), ValueType::kInteger)
                       .Output("score", ValueType::kNumber),
                   "score",
                   "scores");
}

TEST(FlowTest, ItemsRunAtOnceAndTheirTextsAreGatheredInOrder) {
  World world = WithMachine();
  world.Submit(
      "r",
      APipeline({ALoop(
          Folds().Output("scores", ValueType::kString), R"([{"i": 1}, {"i": 2}])", {AFold()})}));
  ASSERT_THAT(world.Starts(), SizeIs(2));
  EXPECT_THAT(TextsOf(world.Starts()[1]), ElementsAre("2"));
  Finish(world, "fold[1]/fit", {Word("score", "0.5")});
  Finish(world, "fold[0]/fit", {Word("score", "1e3")});
  EXPECT_THAT(world.In<Succeeded>("r", "fold").outputs, ElementsAre(Word("scores", "[1e3,0.5]")));
}

TEST(FlowTest, OnlySoManyItemsRunAtATime) {
  World world = WithMachine();
  world.Submit("r",
               APipeline({ALoop(
                   Folds(), R"({"a": {"i": 1}, "b": {"i": 2}, "c": {"i": 3}})", {AFold()}, 2)}));
  EXPECT_TRUE(world.Has("r", "fold[b]/fit"));
  EXPECT_FALSE(world.Has("r", "fold[c]/fit"));
  Finish(world, "fold[b]/fit", {Word("score", "1")});
  EXPECT_EQ(world.StateOf("r", "fold[c]/fit"), "Assigned");
}

TEST(FlowTest, AnItemThatFailsLetsTheOthersGoOnAndFailsTheLoop) {
  World world = WithMachine();
  world.Submit("r", APipeline({ALoop(Folds(), R"([{"i": 1}, {"i": 2}, {"i": 3}])", {AFold()}, 1)}));
  Break(world, "fold[0]/fit");
  EXPECT_EQ(world.StateOf("r", "fold[1]/fit"), "Assigned");
  Finish(world, "fold[1]/fit", {Word("score", "1")});
  Finish(world, "fold[2]/fit", {Word("score", "1")});
  EXPECT_EQ(world.In<Failed>("r", "fold").failure.message,
            "1 of 3 items failed; step 'fold[0]/fit' failed: it broke");
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kFailed);
}

TEST(FlowTest, WithoutContinueAnItemThatFailsStopsTheOthers) {
  World world = WithMachine();
  world.Submit("r", AFailFastPipeline({ALoop(Folds(), R"([{"i": 1}, {"i": 2}])", {AFold()})}));
  Break(world, "fold[0]/fit");
  EXPECT_EQ(world.StateOf("r", "fold"), "Failed");
  EXPECT_EQ(world.StateOf("r", "fold[1]/fit"), "Stopping");
}

TEST(FlowTest, ItemsComeFromAnotherStepAndNoneIsNoFailure) {
  World world = WithMachine();
  Step loop =
      ALoop(Folds().Output("scores", ValueType::kString), OutputOf("plan", "items"), {AFold()});
  world.Submit("r", APipeline({AStep("plan").Output("items", ValueType::kString), loop}));
  Finish(world, "plan", {Word("items", "[]")});
  EXPECT_THAT(world.In<Succeeded>("r", "fold").outputs, ElementsAre(Word("scores", "[]")));
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kCompleted);
}

TEST(FlowTest, ItemsThatAreNoneFailTheLoop) {
  for (const char* items : {"[1]", "7", "[{]", "", "[{\"i\": 1}"}) {
    World world = WithMachine();
    world.Submit("r", APipeline({ALoop(Folds(), items, {AFold()})}));
    EXPECT_THAT(world.In<Failed>("r", "fold").failure.message,
                HasSubstr("its items cannot be read"))
        << items;
  }
}

TEST(FlowTest, ItemsOfAnotherStepThatAreNoneFailTheLoop) {
  for (const char* items : {"[{", "{\"i\": 1}", "None", "[{\"i\": 1}, {\"j\": 1}]"}) {
    World world = WithMachine();
    world.Submit("r",
                 APipeline({AStep("plan").Output("items", ValueType::kString),
                            ALoop(Folds(), OutputOf("plan", "items"), {AFold()})}));
    Finish(world, "plan", {Word("items", items)});
    EXPECT_THAT(world.In<Failed>("r", "fold").failure.message,
                HasSubstr("its items cannot be read"))
        << items;
    EXPECT_EQ(world.LastMove("r").status, RunStatus::kFailed);
  }
}

// A key that no input has was passed over in silence, and the body ran with what it had.
TEST(FlowTest, ItemsOfAnotherStepWithAKeyThatNoInputHasFailTheLoop) {
  World world = WithMachine();
  world.Submit(
      "r",
      APipeline({AStep("plan").Output("items", ValueType::kString),
                 ALoop(AStep("fold").Text("rate", "1", ValueType::kNumber),
                       OutputOf("plan", "items"),
                       {AStep("fit").Text("rate", ParentInputOf("rate"), ValueType::kNumber)})}));
  Finish(world, "plan", {Word("items", R"([{"raet": 2}])")});
  EXPECT_EQ(world.In<Failed>("r", "fold").failure.message,
            "its items do not fit: the body has no input 'raet'; did you mean 'rate'?");
}

TEST(FlowTest, NoItemsMakeAnEmptyFolder) {
  World world = WithMachine();
  const Step body = Promoting(AStep("").Output("model"), "model", "models");
  world.Submit(
      "r", APipeline({ALoop(AStep("fold").Output("models", ValueType::kMltable), "{}", {body})}));
  const auto asked = world.Said<ComposeOutputs>();
  ASSERT_THAT(asked, SizeIs(1));
  ASSERT_THAT(asked[0].files, SizeIs(1));
  EXPECT_THAT(asked[0].files[0].entries, IsEmpty());
  world.Turn({OutputsComposed{asked[0].step, absl::OkStatus(), {Files("models")}}});
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kCompleted);
}

TEST(FlowTest, OutputsThatCannotBePutTogetherFailTheLoop) {
  World world = WithMachine();
  const Step body = Promoting(AStep("").Output("model"), "model", "models");
  world.Submit(
      "r", APipeline({ALoop(AStep("fold").Output("models", ValueType::kMltable), "{}", {body})}));
  const StepKey loop = world.KeyOf("r", "fold");
  world.Turn({OutputsComposed{loop, absl::UnavailableError("the disk is full"), {}}});
  EXPECT_EQ(world.In<Failed>("r", "fold").failure.message,
            "its outputs could not be put together: the disk is full");
}

TEST(FlowTest, AnItemsValueThatDoesNotFitFailsItsStep) {
  World world = WithMachine();
  world.Submit("r", APipeline({ALoop(Folds(), R"([{"i": "x"}])", {AFold()})}));
  EXPECT_THAT(world.In<Failed>("r", "fold[0]/fit").failure.message, HasSubstr("'x'"));
  World other = WithMachine();
  other.Submit("r", APipeline({ALoop(Folds(), R"([{}])", {AFold()})}));
  EXPECT_THAT(other.In<Failed>("r", "fold[0]/fit").failure.message,
              HasSubstr("input 'i' has no value"));
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kFailed);
}

TEST(FlowTest, FilesOfItemsArePutTogetherBesideTheScheduler) {
  World world = WithMachine();
  const Step body = Promoting(AStep("").Output("model"), "model", "models");
  world.Submit(
      "r",
      APipeline({ALoop(
          AStep("fold").Output("models", ValueType::kMltable), R"({"x": {}, "y": {}})", {body})}));
  Finish(world, "fold[x]", {Files("model")});
  EXPECT_THAT(world.Said<ComposeOutputs>(), IsEmpty());
  Finish(world, "fold[y]", {Files("model")});
  const auto asked = world.Said<ComposeOutputs>();
  ASSERT_THAT(asked, SizeIs(1));
  ASSERT_THAT(asked[0].files, SizeIs(1));
  EXPECT_EQ(asked[0].files[0].entries[1].first, "y");
  EXPECT_EQ(world.StateOf("r", "fold"), "Open");
  // A server that starts again asks again.
  world.last = DecideStart(world.state, {2, "w", world.now}, world.options);
  EXPECT_THAT(world.Said<ComposeOutputs>(), SizeIs(1));
  world.Turn({OutputsComposed{asked[0].step, absl::OkStatus(), {Files("models")}}});
  EXPECT_EQ(world.StateOf("r", "fold"), "Succeeded");
  world.Turn({OutputsComposed{asked[0].step, absl::OkStatus(), {Files("models")}}});
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kCompleted);
}

TEST(FlowTest, AnItemsAddressIsNoFilesOfAStep) {
  World world = WithMachine();
  world.Submit("r",
               APipeline({ALoop(AStep("fold").Unset("d", ValueType::kUriFile),
                                R"([{"d": "https://example.org/x.csv"}])",
                                {AStep("fit").Data("d", ParentInputOf("d"))})}));
  EXPECT_THAT(world.In<Failed>("r", "fold").failure.message, HasSubstr("mode: direct"));
}

TEST(FlowTest, LoopsNestAndFilesOfTheLoopsInputsReachTheInnermost) {
  World world = WithMachine();
  const Step inner =
      ALoop(AStep("inner").Data("data", ParentInputOf("data")).Unset("j", ValueType::kInteger),
            R"([{"j": 1}, {"j": 2}])",
            {AStep("fit")
                 .Data("data", ParentInputOf("data"))
                 .Text("j", ParentInputOf("j"), ValueType::kInteger)});
  world.Submit("r",
               APipeline({AStep("prepare").Output("out"),
                          ALoop(AStep("outer")
                                    .Data("data", OutputOf("prepare", "out"))
                                    .Unset("i", ValueType::kInteger),
                                R"([{"i": 1}])",
                                {AStep("first"), Step(AStep("x").After("first")), inner})}));
  Finish(world, "prepare", {Files("out")});
  EXPECT_EQ(world.StateOf("r", "outer[0]/inner"), "Open");
  Finish(world, "outer[0]/inner[1]/fit");
  Finish(world, "outer[0]/inner[0]/fit");
  EXPECT_EQ(world.StateOf("r", "outer[0]/inner"), "Succeeded");
  EXPECT_EQ(world.StateOf("r", "outer"), "Open");
  Finish(world, "outer[0]/first");
  Finish(world, "outer[0]/x");
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kCompleted);
}

TEST(FlowTest, AnInnerLoopTakesItsItemsFromTheOuterAndFailsItAlone) {
  World world = WithMachine();
  const Step inner = ALoop(AStep("inner").Text("js", ParentInputOf("js"), ValueType::kString),
                           ParentInputOf("js"),
                           {AStep("fit")});
  world.Submit("r",
               APipeline({ALoop(AStep("outer").Unset("js", ValueType::kString),
                                R"({"x": {"js": "[{}, {}]"}, "y": {"js": "oh"}})",
                                {inner})}));
  EXPECT_THAT(world.In<Failed>("r", "outer[y]/inner").failure.message,
              HasSubstr("its items cannot be read"));
  EXPECT_EQ(world.StateOf("r", "outer"), "Open");
  Finish(world, "outer[x]/inner[0]/fit");
  Finish(world, "outer[x]/inner[1]/fit");
  EXPECT_EQ(world.StateOf("r", "outer[x]/inner"), "Succeeded");
  EXPECT_THAT(world.In<Failed>("r", "outer").failure.message, HasSubstr("1 of 2 items failed"));
}

TEST(FlowTest, CancelEndsLoopsInLoops) {
  World world = WithMachine(1);
  const Step inner = ALoop(AStep("inner"), "[{}, {}]", {AStep("fit")});
  world.Submit("r", APipeline({ALoop(AStep("outer"), "[{}, {}, {}]", {inner}, 2)}));
  world.Cancel("r");
  EXPECT_EQ(world.StateOf("r", "outer[1]/inner[1]/fit"), "Canceled");
  EXPECT_FALSE(world.Has("r", "outer[2]/inner"));
  world.Report("m1", {Stops(world.Attempt("r", "outer[0]/inner[0]/fit"))});
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kCanceled);
}

TEST(FlowTest, ARunThatWouldHaveTooManyStepsFailsTheLoopAndIsNotExpanded) {
  World world = WithMachine(1);
  std::string items = "[";
  for (int i = 0; i < 400; ++i) items += std::string(i > 0 ? "," : "") + "{}";
  items += "]";
  const Step inner = ALoop(AStep("inner"), items, {AStep("fit")});
  world.Submit("r", APipeline({ALoop(AStep("outer"), items, {inner})}));
  EXPECT_THAT(world.LastMove("r").reason, HasSubstr("a run can have 100000 steps"));
}

TEST(FlowTest, ItemsAreCalledByTheirKeysWhereThoseCanBePartsOfNames) {
  World world = WithMachine();
  world.Submit("r", APipeline({ALoop(Folds(), R"({"../x": {"i": 1}, "1": {"i": 2}})", {AFold()})}));
  EXPECT_TRUE(world.Has("r", "fold[0]/fit"));
  EXPECT_TRUE(world.Has("r", "fold[1]/fit"));
}

}  // namespace
}  // namespace potok::server
