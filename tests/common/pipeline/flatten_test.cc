#include "common/pipeline/flatten.h"

#include "gmock/gmock.h"
#include "tests/common/pipeline/spec_builder.h"

namespace potok {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Step ANested(const std::string& name,
             std::vector<Input> inputs,
             std::vector<Output> outputs,
             std::vector<Step> body) {
  Step step = AStep(name, "", std::move(inputs), std::move(outputs));
  step.control = std::make_shared<const Control>(Control{Nested{}, std::move(body)});
  return step;
}

// raw -> prepare (clean, then count) -> use
PipelineSpec Good() {
  return APipeline(
      {AnInput("raw", ValueType::kUriFolder, UriValue{"azureml://datastores/d/paths/p"})},
      {AnOutput("all")},
      {ANested("prepare",
               {ABinding("data", ValueType::kUriFolder, "${{parent.inputs.raw}}"),
                ABinding("rows", ValueType::kInteger, "10.0"),
                AnInput("note", ValueType::kString, std::monostate())},
               {APromoted("out", "all")},
               {AStep("clean",
                      "clean",
                      {ABinding("d", ValueType::kUriFolder, "${{parent.inputs.data}}"),
                       ABinding("t", ValueType::kString, "rows ${{parent.inputs.rows}}"),
                       ABinding("n", ValueType::kString, "${{parent.inputs.note}}")},
                      {AnOutput("o")}),
                AStep("count",
                      "count",
                      {ABinding("d", ValueType::kUriFolder, "${{parent.jobs.clean.outputs.o}}"),
                       ABinding("r", ValueType::kString, "${{parent.jobs.clean.inputs.t}}")},
                      {APromoted("o", "out")})}),
       AStep("use",
             "use",
             {ABinding("d", ValueType::kUriFolder, "${{parent.jobs.prepare.outputs.out}}"),
              ABinding("r", ValueType::kInteger, "${{parent.jobs.prepare.inputs.rows}}")})});
}

std::string Bound(const Step& step, std::size_t input) {
  const auto* text = std::get_if<TextValue>(&step.inputs[input].value);
  return text == nullptr ? "" : text->text;
}

std::vector<std::string> NamesOf(const PipelineSpec& spec) {
  std::vector<std::string> names;
  for (const Step& step : spec.steps) names.push_back(step.name);
  return names;
}

TEST(FlattenTest, PutsNestedStepsInPlaceUnderTheNamesOfBothLevels) {
  PipelineSpec spec = Good();
  EXPECT_THAT(Flatten(&spec), IsEmpty());
  EXPECT_THAT(NamesOf(spec), ElementsAre("prepare/clean", "prepare/count", "use"));
  for (const Step& step : spec.steps) EXPECT_EQ(step.control, nullptr);
}

TEST(FlattenTest, BindsThroughThePorts) {
  PipelineSpec spec = Good();
  EXPECT_THAT(Flatten(&spec), IsEmpty());
  EXPECT_EQ(Bound(spec.steps[0], 0), "${{parent.inputs.raw}}");
  EXPECT_EQ(Bound(spec.steps[0], 1), "rows 10");  // as an integer reads it
  EXPECT_TRUE(std::holds_alternative<std::monostate>(spec.steps[0].inputs[2].value));
  EXPECT_EQ(Bound(spec.steps[1], 0), "${{parent.jobs.prepare/clean.outputs.o}}");
  EXPECT_EQ(Bound(spec.steps[1], 1), "${{parent.jobs.prepare/clean.inputs.t}}");
  EXPECT_EQ(Bound(spec.steps[2], 0), "${{parent.jobs.prepare/count.outputs.o}}");
  EXPECT_EQ(Bound(spec.steps[2], 1), "10");
}

TEST(FlattenTest, HandsFilesOnAsTheyAre) {
  PipelineSpec spec = Good();
  spec.steps[0].inputs[0].value = LocalPath{"/data"};
  spec.steps[0].inputs[0].mode = Mode::kDownload;
  EXPECT_THAT(Flatten(&spec), IsEmpty());
  EXPECT_EQ(std::get<LocalPath>(spec.steps[0].inputs[0].value).path, "/data");
  EXPECT_EQ(spec.steps[0].inputs[0].mode, Mode::kDownload);
}

TEST(FlattenTest, GivesTheStepThatMakesAnOutputWhatTheNodeSaysOfIt) {
  PipelineSpec spec = Good();
  spec.steps[0].outputs[0].mode = Mode::kUpload;
  spec.steps[0].outputs[0].asset_name = "best";
  EXPECT_THAT(Flatten(&spec), IsEmpty());
  const Output& output = spec.steps[1].outputs[0];
  EXPECT_EQ(output.promoted_to, "all");
  EXPECT_EQ(output.mode, Mode::kUpload);
  EXPECT_EQ(output.asset_name, "best");
}

TEST(FlattenTest, NamesTheStepsOfWhatWasNamed) {
  PipelineSpec spec = Good();
  spec.steps[1].depends_on = {"prepare"};
  spec.steps[1].when = "failed(prepare) and not succeeded(prepare)";
  EXPECT_THAT(Flatten(&spec), IsEmpty());
  EXPECT_THAT(spec.steps[2].depends_on, ElementsAre("prepare/clean", "prepare/count"));
  EXPECT_EQ(spec.steps[2].when,
            "(failed(prepare/clean) or failed(prepare/count)) and not "
            "(succeeded(prepare/clean) and succeeded(prepare/count))");
}

TEST(FlattenTest, OrdersTheFirstStepsOfANestedPipelineAndSettlesTheirMachine) {
  PipelineSpec spec = Good();
  spec.steps.push_back(AStep("first", "first"));
  spec.steps[0].depends_on = {"first"};
  spec.steps[0].compute = "large";
  spec.steps[0].finalizes = true;
  EXPECT_THAT(Flatten(&spec), IsEmpty());
  EXPECT_THAT(spec.steps[0].depends_on, ElementsAre("first"));
  EXPECT_THAT(spec.steps[1].depends_on, IsEmpty());
  EXPECT_EQ(spec.steps[1].compute, "large");
  EXPECT_TRUE(spec.steps[1].finalizes);
}

TEST(FlattenTest, LeavesACondtionInPlaceOfANestedPipelineWithAWhen) {
  PipelineSpec spec = Good();
  spec.steps.push_back(AStep("first", "first", {}, {AnOutput("o")}));
  spec.steps[0].inputs[0].value = TextValue{"${{parent.jobs.first.outputs.o}}"};
  spec.steps[0].when = "all_done";
  auto control = std::make_shared<Control>(*spec.steps[0].control);
  control->body[1].when = "always";
  spec.steps[0].control = control;
  EXPECT_THAT(Flatten(&spec), IsEmpty());
  EXPECT_THAT(NamesOf(spec),
              ElementsAre("prepare", "prepare/clean", "prepare/count", "use", "first"));
  EXPECT_TRUE(std::holds_alternative<Condition>(spec.steps[0].control->kind));
  EXPECT_EQ(spec.steps[0].when, "all_done");
  EXPECT_THAT(spec.steps[0].depends_on, ElementsAre("first"));
  EXPECT_EQ(spec.steps[1].when, "jobs.prepare.outputs.taken == true");
  EXPECT_EQ(spec.steps[2].when, "always() and jobs.prepare.outputs.taken == true");
}

TEST(FlattenTest, MovesConditionsIntoTheNamesAround) {
  PipelineSpec spec = Good();
  auto control = std::make_shared<Control>(*spec.steps[0].control);
  control->body[1].when = "jobs.clean.status == 'Failed' or inputs.rows > 3 or inputs.note == null";
  spec.steps[0].control = control;
  EXPECT_THAT(Flatten(&spec), IsEmpty());
  EXPECT_EQ(spec.steps[1].when, "jobs.prepare/clean.status == 'Failed' or 10 > 3 or null == null");
}

TEST(FlattenTest, FlattensEveryDepthAndTheBodiesOfLoops) {
  PipelineSpec inner = Good();
  Step loop = AStep("loop", "", {ABinding("raw", ValueType::kUriFolder, "${{parent.inputs.raw}}")});
  loop.control = std::make_shared<const Control>(Control{ParallelFor{}, inner.steps});
  PipelineSpec spec = APipeline(
      inner.inputs,
      {},
      {ANested("outer",
               {ABinding("raw", ValueType::kUriFolder, "${{parent.inputs.raw}}")},
               {},
               {ANested("middle",
                        {ABinding("raw", ValueType::kUriFolder, "${{parent.inputs.raw}}")},
                        {},
                        inner.steps),
                loop})});
  EXPECT_THAT(Flatten(&spec), IsEmpty());
  EXPECT_THAT(NamesOf(spec),
              ElementsAre("outer/middle/prepare/clean",
                          "outer/middle/prepare/count",
                          "outer/middle/use",
                          "outer/loop"));
  EXPECT_EQ(Bound(spec.steps[2], 0), "${{parent.jobs.outer/middle/prepare/count.outputs.o}}");
  const std::vector<Step>& body = spec.steps[3].control->body;
  ASSERT_EQ(body.size(), 3U);
  EXPECT_EQ(body[0].name, "prepare/clean");
  EXPECT_EQ(Bound(body[0], 0), "${{parent.inputs.raw}}");
}

TEST(FlattenTest, FindsAnOutputThatNoStepMakes) {
  PipelineSpec spec = Good();
  auto control = std::make_shared<Control>(*spec.steps[0].control);
  control->body[1].outputs[0].promoted_to.clear();
  spec.steps[0].control = control;
  const std::vector<Problem> problems = Flatten(&spec);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].where, "jobs.use.inputs.d");
  EXPECT_THAT(problems[0].message, HasSubstr("no step of 'prepare' makes its output 'out'"));
}

TEST(FlattenTest, FindsAConditionOverAnInputThatIsMadeOfTexts) {
  PipelineSpec spec = Good();
  spec.steps[0].inputs[2].value = TextValue{"a${{parent.inputs.raw}}"};
  auto control = std::make_shared<Control>(*spec.steps[0].control);
  control->body[1].when = "inputs.note == 'a'";
  spec.steps[0].control = control;
  const std::vector<Problem> problems = Flatten(&spec);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].where, "jobs.prepare/count.when");
  EXPECT_THAT(problems[0].message, HasSubstr("made of several texts"));
}

}  // namespace
}  // namespace potok
