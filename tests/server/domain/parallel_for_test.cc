// Loops over items: what runs, what is gathered, and what is wrong with items.
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

TEST(ParallelForTest, ItemsRunAtOnceAndTheirTextsAreGatheredInOrder) {
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

TEST(ParallelForTest, WhatIsGatheredIsJsonWhateverTheItemsWrote) {
  struct Case {
    ValueType type;
    const char* written;
    const char* gathered;
  };
  const std::vector<Case> cases = {{ValueType::kBoolean, "True", "[true]"},
                                   {ValueType::kBoolean, "false", "[false]"},
                                   {ValueType::kInteger, "7", "[7]"},
                                   {ValueType::kNumber, "1e-3", "[1e-3]"},
                                   {ValueType::kNumber, "nan", "[\"nan\"]"},
                                   {ValueType::kString, "7", "[\"7\"]"},
                                   {ValueType::kString, "a \"b\"", "[\"a \\\"b\\\"\"]"}};
  for (const Case& one : cases) {
    World world = WithMachine();
    const Step body = Promoting(AStep("").Output("made", one.type), "made", "all");
    world.Submit("r",
                 APipeline({ALoop(AStep("fold").Output("all", ValueType::kString), "[{}]", {body}),
                            AStep("more")}));
    Finish(world, "fold[0]", {Word("made", one.written)});
    EXPECT_THAT(world.In<Succeeded>("r", "fold").outputs, ElementsAre(Word("all", one.gathered)));
  }
}

TEST(ParallelForTest, AnItemThatLeavesAnOutputOutIsNullInTheList) {
  World world = WithMachine();
  world.Submit(
      "r",
      APipeline({ALoop(
          Folds().Output("scores", ValueType::kString), R"([{"i": 1}, {"i": 2}])", {AFold()})}));
  Finish(world, "fold[0]/fit");
  Finish(world, "fold[1]/fit", {Word("score", "2")});
  EXPECT_THAT(world.In<Succeeded>("r", "fold").outputs, ElementsAre(Word("scores", "[null,2]")));
}

TEST(ParallelForTest, OnlySoManyItemsRunAtATime) {
  World world = WithMachine();
  world.Submit("r",
               APipeline({ALoop(
                   Folds(), R"({"a": {"i": 1}, "b": {"i": 2}, "c": {"i": 3}})", {AFold()}, 2)}));
  EXPECT_TRUE(world.Has("r", "fold[b]/fit"));
  EXPECT_FALSE(world.Has("r", "fold[c]/fit"));
  Finish(world, "fold[b]/fit", {Word("score", "1")});
  EXPECT_EQ(world.StateOf("r", "fold[c]/fit"), "Assigned");
}

TEST(ParallelForTest, AnItemThatFailsLetsTheOthersGoOnAndFailsTheLoop) {
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

TEST(ParallelForTest, WithoutContinueAnItemThatFailsStopsTheOthers) {
  World world = WithMachine();
  world.Submit("r", AFailFastPipeline({ALoop(Folds(), R"([{"i": 1}, {"i": 2}])", {AFold()})}));
  Break(world, "fold[0]/fit");
  EXPECT_EQ(world.StateOf("r", "fold"), "Failed");
  EXPECT_EQ(world.StateOf("r", "fold[1]/fit"), "Stopping");
}

TEST(ParallelForTest, ItemsComeFromAnotherStepAndNoneIsNoFailure) {
  World world = WithMachine();
  Step loop =
      ALoop(Folds().Output("scores", ValueType::kString), OutputOf("plan", "items"), {AFold()});
  world.Submit("r", APipeline({AStep("plan").Output("items", ValueType::kString), loop}));
  Finish(world, "plan", {Word("items", "[]")});
  EXPECT_THAT(world.In<Succeeded>("r", "fold").outputs, ElementsAre(Word("scores", "[]")));
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kCompleted);
}

TEST(ParallelForTest, ItemsThatAreNoneFailTheLoop) {
  for (const char* items : {"[1]", "7", "[{]", "", "[{\"i\": 1}"}) {
    World world = WithMachine();
    world.Submit("r", APipeline({ALoop(Folds(), items, {AFold()})}));
    EXPECT_THAT(world.In<Failed>("r", "fold").failure.message,
                HasSubstr("its items cannot be read"))
        << items;
  }
}

TEST(ParallelForTest, ItemsOfAnotherStepThatAreNoneFailTheLoop) {
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
TEST(ParallelForTest, ItemsOfAnotherStepWithAKeyThatNoInputHasFailTheLoop) {
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

TEST(ParallelForTest, NoItemsMakeAnEmptyFolder) {
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

TEST(ParallelForTest, OutputsThatCannotBePutTogetherFailTheLoop) {
  World world = WithMachine();
  const Step body = Promoting(AStep("").Output("model"), "model", "models");
  world.Submit(
      "r", APipeline({ALoop(AStep("fold").Output("models", ValueType::kMltable), "{}", {body})}));
  const StepKey loop = world.KeyOf("r", "fold");
  world.Turn({OutputsComposed{loop, absl::UnavailableError("the disk is full"), {}}});
  EXPECT_EQ(world.In<Failed>("r", "fold").failure.message,
            "its outputs could not be put together: the disk is full");
}

TEST(ParallelForTest, AnItemsValueThatDoesNotFitFailsItsStep) {
  World world = WithMachine();
  world.Submit("r", APipeline({ALoop(Folds(), R"([{"i": "x"}])", {AFold()})}));
  EXPECT_THAT(world.In<Failed>("r", "fold[0]/fit").failure.message, HasSubstr("'x'"));
  World other = WithMachine();
  other.Submit("r", APipeline({ALoop(Folds(), R"([{}])", {AFold()})}));
  EXPECT_THAT(other.In<Failed>("r", "fold[0]/fit").failure.message,
              HasSubstr("input 'i' has no value"));
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kFailed);
}

TEST(ParallelForTest, FilesOfItemsArePutTogetherBesideTheScheduler) {
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

TEST(ParallelForTest, AnItemsAddressIsNoFilesOfAStep) {
  World world = WithMachine();
  world.Submit("r",
               APipeline({ALoop(AStep("fold").Unset("d", ValueType::kUriFile),
                                R"([{"d": "https://example.org/x.csv"}])",
                                {AStep("fit").Data("d", ParentInputOf("d"))})}));
  EXPECT_THAT(world.In<Failed>("r", "fold").failure.message, HasSubstr("mode: direct"));
}

TEST(ParallelForTest, LoopsNestAndFilesOfTheLoopsInputsReachTheInnermost) {
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

TEST(ParallelForTest, AnInnerLoopTakesItsItemsFromTheOuterAndFailsItAlone) {
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

TEST(ParallelForTest, CancelEndsLoopsInLoops) {
  World world = WithMachine(1);
  const Step inner = ALoop(AStep("inner"), "[{}, {}]", {AStep("fit")});
  world.Submit("r", APipeline({ALoop(AStep("outer"), "[{}, {}, {}]", {inner}, 2)}));
  world.Cancel("r");
  EXPECT_EQ(world.StateOf("r", "outer[1]/inner[1]/fit"), "Canceled");
  EXPECT_FALSE(world.Has("r", "outer[2]/inner"));
  world.Report("m1", {Stops(world.Attempt("r", "outer[0]/inner[0]/fit"))});
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kCanceled);
}

TEST(ParallelForTest, ARunThatWouldHaveTooManyStepsFailsTheLoopAndIsNotExpanded) {
  World world = WithMachine(1);
  std::string items = "[";
  for (int i = 0; i < 400; ++i) items += std::string(i > 0 ? "," : "") + "{}";
  items += "]";
  const Step inner = ALoop(AStep("inner"), items, {AStep("fit")});
  world.Submit("r", APipeline({ALoop(AStep("outer"), items, {inner})}));
  EXPECT_THAT(world.LastMove("r").reason, HasSubstr("a run can have 100000 steps"));
}

TEST(ParallelForTest, ItemsAreCalledByTheirKeysWhereThoseCanBePartsOfNames) {
  World world = WithMachine();
  world.Submit("r", APipeline({ALoop(Folds(), R"({"../x": {"i": 1}, "1": {"i": 2}})", {AFold()})}));
  EXPECT_TRUE(world.Has("r", "fold[0]/fit"));
  EXPECT_TRUE(world.Has("r", "fold[1]/fit"));
}

}  // namespace
}  // namespace potok::server
