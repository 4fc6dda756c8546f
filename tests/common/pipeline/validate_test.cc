#include "common/pipeline/validate.h"

#include <ctime>

#include "gmock/gmock.h"
#include "tests/common/pipeline/spec_builder.h"

namespace potok {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// Each problem as "error jobs.train.inputs.lr: message".
std::vector<std::string> Found(const PipelineSpec& spec) {
  std::vector<std::string> lines;
  for (const Problem& problem : Validate(spec)) {
    lines.push_back((problem.severity == Severity::kError ? "error " : "warning ") + problem.where +
                    ": " + problem.message);
  }
  return lines;
}

auto Says(const std::string& start, const std::string& part) {
  return ElementsAre(AllOf(StartsWith(start + ": "), HasSubstr(part)));
}

// prepare -> train, with an input and an output of the pipeline: nothing is wrong with it.
PipelineSpec Good() {
  return APipeline(
      {AnInput("data", ValueType::kUriFile, UriValue{"https://x/y.csv"}),
       AnInput("lr", ValueType::kNumber, TextValue{"1e-3"})},
      {AnOutput("model")},
      {AStep("prepare",
             "prep ${{inputs.raw}} ${{outputs.clean}}",
             {ABinding("raw", ValueType::kUriFile, "${{parent.inputs.data}}")},
             {AnOutput("clean")}),
       AStep("train",
             "train ${{inputs.data}} --lr ${{inputs.lr}} --out ${{outputs.model}}",
             {ABinding("data", ValueType::kUriFolder, "${{parent.jobs.prepare.outputs.clean}}"),
              ABinding("lr", ValueType::kNumber, "${{parent.inputs.lr}}")},
             {APromoted("model", "model")})});
}

// Good(), with the binding of train's `data` or `lr` replaced.
PipelineSpec WithData(const std::string& binding) {
  PipelineSpec spec = Good();
  spec.steps[1].inputs[0].value = TextValue{binding};
  return spec;
}
PipelineSpec WithRate(const std::string& binding) {
  PipelineSpec spec = Good();
  spec.steps[1].inputs[1].value = TextValue{binding};
  return spec;
}
PipelineSpec WithCommand(const std::string& command) {
  PipelineSpec spec = Good();
  spec.steps[1].command = command;
  return spec;
}

TEST(ValidateTest, FindsNothingInAGoodPipeline) {
  EXPECT_THAT(Found(Good()), IsEmpty());
}

TEST(ValidateTest, FindsNamesThatNoFileCouldHave) {
  PipelineSpec spec = APipeline({}, {}, {AStep("train/" + std::string(255, 's'), "true", {}, {})});
  EXPECT_THAT(Found(spec), IsEmpty());
  spec.steps[0].name += "s";
  EXPECT_THAT(Found(spec),
              ElementsAre(HasSubstr("the name of the step has 256 characters; use at most 255")));
  spec.steps[0].name = "s";
  spec.steps[0].outputs = {AnOutput(std::string(255, 'o'))};
  EXPECT_THAT(Found(spec), IsEmpty());
  spec.steps[0].outputs = {AnOutput(std::string(256, 'o'))};
  EXPECT_THAT(Found(spec),
              ElementsAre(HasSubstr(
                  "the name of the input or output has 256 characters; use at most 255")));
}

TEST(ValidateTest, FindsAnUnknownStepAndSuggestsOne) {
  EXPECT_THAT(Found(WithData("${{parent.jobs.prepar.outputs.clean}}")),
              Says("error jobs.train.inputs.data", "no step 'prepar'; did you mean 'prepare'?"));
}

TEST(ValidateTest, FindsAnUnknownOutputOfAStep) {
  EXPECT_THAT(Found(WithData("${{parent.jobs.prepare.outputs.claen}}")),
              Says("error jobs.train.inputs.data", "no output 'claen'; did you mean 'clean'?"));
}

TEST(ValidateTest, FindsAnUnknownInputOfAStep) {
  EXPECT_THAT(Found(WithData("${{parent.jobs.prepare.inputs.q}}")),
              Says("error jobs.train.inputs.data", "step 'prepare' has no input 'q'"));
}

TEST(ValidateTest, FindsAnUnknownInputOfThePipelineInEveryPartOfAText) {
  EXPECT_THAT(Found(WithRate("${{parent.inputs.lrr}}")),
              Says("error jobs.train.inputs.lr", "no input 'lrr'; did you mean 'lr'?"));
  EXPECT_THAT(Found(WithRate("${{inputs.lr}}${{inputs.q1}}${{inputs.q2}}")),
              ElementsAre(HasSubstr("'q1'"), HasSubstr("'q2'")));
}

TEST(ValidateTest, FindsABindingThatIsNoExpression) {
  EXPECT_THAT(Found(WithRate("${{parent.input.lr}}")),
              Says("error jobs.train.inputs.lr", "${{parent.input.lr}} is not understood"));
  EXPECT_THAT(Found(WithRate("${{parent.outputs.model}}")),
              Says("error jobs.train.inputs.lr", "written and not read"));
}

TEST(ValidateTest, FindsAStepBoundToItself) {
  EXPECT_THAT(Found(WithData("${{parent.jobs.train.outputs.model}}")),
              Says("error jobs.train.inputs.data", "bound to itself"));
  EXPECT_THAT(Found(WithRate("${{parent.jobs.train.inputs.lr}}")),
              Says("error jobs.train.inputs.lr", "bound to itself"));
}

TEST(ValidateTest, NamesTheStepsOfACycle) {
  PipelineSpec spec = Good();
  spec.steps[0].inputs[0] =
      ABinding("raw", ValueType::kUriFolder, "${{parent.jobs.train.outputs.model}}");
  EXPECT_THAT(Found(spec), Says("error jobs.prepare", "prepare -> train -> prepare"));
}

TEST(ValidateTest, FindsACycleThroughDependsOn) {
  PipelineSpec spec = Good();
  spec.steps[0].depends_on = {"train"};
  EXPECT_THAT(Found(spec), Says("error jobs.prepare", "prepare -> train -> prepare"));
}

TEST(ValidateTest, FindsACycleOfInputsAndNoneWhereOnlyAnInputIsShared) {
  PipelineSpec spec = Good();
  spec.steps[0].inputs.push_back(
      ABinding("lr", ValueType::kNumber, "${{parent.jobs.train.inputs.lr}}"));
  EXPECT_THAT(Found(spec), IsEmpty());
  spec.steps[1].inputs[1].value = TextValue{"${{parent.jobs.prepare.inputs.lr}}"};
  EXPECT_THAT(Found(spec),
              Says("error jobs.train.inputs.lr",
                   "train.inputs.lr -> prepare.inputs.lr -> train.inputs.lr"));
}

TEST(ValidateTest, FindsMissingRequiredValues) {
  PipelineSpec spec = Good();
  spec.inputs[1].value = std::monostate();
  EXPECT_THAT(Found(spec), Says("error inputs.lr", "a value is required"));
  spec = Good();
  spec.steps[1].inputs[1].value = std::monostate();
  EXPECT_THAT(Found(spec), Says("error jobs.train.inputs.lr", "a value is required"));
  spec.steps[1].inputs[1].optional = true;
  EXPECT_THAT(Found(spec), Says("warning jobs.train.command", "outside of an optional block"));
}

TEST(ValidateTest, FindsARequiredInputBoundToAnOptionalOneWithoutValue) {
  PipelineSpec spec = Good();
  spec.inputs[1].value = std::monostate();
  spec.inputs[1].optional = true;
  EXPECT_THAT(Found(spec), Says("error jobs.train.inputs.lr", "optional input 'lr' has none"));
}

TEST(ValidateTest, FindsUndeclaredNamesInACommand) {
  EXPECT_THAT(Found(WithCommand("run ${{inputs.dta}}")),
              Says("error jobs.train.command", "no input 'dta'; did you mean 'data'?"));
  EXPECT_THAT(Found(WithCommand("run ${{outputs.q}} ${{outputs.q}}")),
              Says("error jobs.train.command", "no output 'q'; there is only model"));
}

TEST(ValidateTest, FindsCommandsThatCannotTakeAValue) {
  EXPECT_THAT(Found(WithCommand("echo \\${{inputs.lr}}")),
              Says("error jobs.train.command", "backslash"));
  EXPECT_THAT(Found(WithCommand("echo $(( ${{inputs.data}} ))")),
              Says("error jobs.train.command", "computes"));
  EXPECT_THAT(Found(WithCommand(" \n")), Says("error jobs.train.command", "no command"));
  EXPECT_THAT(Found(WithCommand(std::string(200'000, 'a'))),
              Says("error jobs.train.command", "200000 bytes"));
}

TEST(ValidateTest, WantsOptionalInputsInBlocksAndRequiredOnesOutside) {
  EXPECT_THAT(Found(WithCommand("run $[[--lr ${{inputs.lr}}]]")),
              Says("error jobs.train.command", "required input 'lr' stands in an optional block"));
  PipelineSpec spec = WithCommand("run $[[--lr ${{inputs.lr}}]]");
  spec.steps[1].inputs[1].optional = true;
  EXPECT_THAT(Found(spec), IsEmpty());
  spec.steps[1].command = "run --lr ${{inputs.lr}}";
  EXPECT_THAT(Found(spec), Says("warning jobs.train.command", "$[[--lr ${{inputs.lr}}]]"));
}

TEST(ValidateTest, ChecksLiteralsOfThePipelineAgainstTheirTypes) {
  PipelineSpec spec = Good();
  spec.inputs[1].value = TextValue{"fast"};
  EXPECT_THAT(Found(spec), Says("error inputs.lr", "'fast' is not a number"));
  spec.inputs[1].value = UriValue{"https://x"};
  EXPECT_THAT(Found(spec), testing::Contains(HasSubstr("error inputs.lr: a file or folder")));
}

TEST(ValidateTest, ReadsTextOfThePipelineAsALiteral) {
  PipelineSpec spec = Good();
  spec.inputs[1] = AnInput("lr", ValueType::kString, TextValue{"${{not.an.expression"});
  spec.steps[1].inputs[1].type = ValueType::kString;
  EXPECT_THAT(Found(spec), IsEmpty());
}

TEST(ValidateTest, ChecksLiteralsOfAStepAgainstTypeLimitsAndChoices) {
  PipelineSpec spec = WithRate("0.7");
  spec.steps[1].inputs[1].max = 0.5;
  EXPECT_THAT(Found(spec), Says("error jobs.train.inputs.lr", "above the maximum, 0.5"));
  spec.steps[1].inputs[1].max = std::nullopt;
  spec.steps[1].inputs[1].choices = {"0.1", "0.2"};
  EXPECT_THAT(Found(spec), Says("error jobs.train.inputs.lr", "one of 0.1, 0.2"));
  EXPECT_THAT(Found(WithRate("fast")), Says("error jobs.train.inputs.lr", "not a number"));
}

TEST(ValidateTest, ChecksAValueOfThePipelineAgainstTheStepThatTakesIt) {
  PipelineSpec spec = Good();
  spec.steps[1].inputs[1].min = 0.5;
  EXPECT_THAT(Found(spec), Says("error jobs.train.inputs.lr", "below the minimum, 0.5"));
  spec.steps[1].inputs[1].min = std::nullopt;
  spec.steps[1].inputs[1].type = ValueType::kInteger;
  EXPECT_THAT(Found(spec), Says("error jobs.train.inputs.lr", "'lr' does not fit: '1e-3'"));
  spec.steps[1].inputs[1].type = ValueType::kString;
  EXPECT_THAT(Found(spec), IsEmpty());
}

TEST(ValidateTest, TellsPrimitivesFromData) {
  EXPECT_THAT(Found(WithRate("${{parent.inputs.data}}")),
              Says("error jobs.train.inputs.lr", "uri_file, and the type here is number"));
  EXPECT_THAT(Found(WithData("${{parent.inputs.lr}}")),
              Says("error jobs.train.inputs.data", "number, and the type here is uri_folder"));
  EXPECT_THAT(Found(WithData("a folder")), Says("error jobs.train.inputs.data", "is text"));
  EXPECT_THAT(Found(WithData("azureml://datastores/d/paths/${{parent.inputs.lr}}")), IsEmpty());
}

TEST(ValidateTest, OnlyWarnsWhereTypesOfDataDiffer) {
  EXPECT_THAT(Found(WithData("${{parent.inputs.data}}")),
              Says("warning jobs.train.inputs.data", "uri_file, and the type here is uri_folder"));
  PipelineSpec spec = Good();
  spec.steps[0].outputs[0].type = ValueType::kMlflowModel;
  EXPECT_THAT(Found(spec), Says("warning jobs.train.inputs.data", "mlflow_model"));
}

TEST(ValidateTest, RefusesFilesInTheMiddleOfText) {
  EXPECT_THAT(Found(WithData("${{parent.jobs.prepare.outputs.clean}}/sub")),
              Says("error jobs.train.inputs.data", "cannot be joined with text"));
}

TEST(ValidateTest, FindsWrongPromotions) {
  PipelineSpec spec = Good();
  spec.steps[1].outputs[0].promoted_to = "modle";
  EXPECT_THAT(Found(spec),
              ElementsAre(HasSubstr("error jobs.train.outputs.model: the pipeline has no output "
                                    "'modle'; did you mean 'model'?"),
                          HasSubstr("warning outputs.model: no step makes it")));
  spec = Good();
  spec.steps[0].outputs[0].promoted_to = "model";
  EXPECT_THAT(Found(spec),
              Says("error jobs.train.outputs.model", "jobs.prepare.outputs.clean already makes"));
}

TEST(ValidateTest, FindsNamesThatAreWrongOrTaken) {
  PipelineSpec spec = Good();
  spec.steps.push_back(AStep("Train-2", "run"));
  spec.steps.push_back(AStep("train", "run"));
  spec.steps.push_back(AStep("sub/fit_2", "run"));
  EXPECT_THAT(Found(spec),
              ElementsAre(HasSubstr("error jobs.Train-2: 'Train-2' cannot name a step"),
                          HasSubstr("error jobs.train: there are two steps")));
  spec = Good();
  spec.inputs.push_back(AnInput("a-b", ValueType::kString, TextValue{"x"}));
  spec.inputs.push_back(AnInput("lr", ValueType::kString, TextValue{"x"}));
  spec.inputs.push_back(AnInput("Path", ValueType::kString, TextValue{"x"}));
  EXPECT_THAT(Found(spec),
              ElementsAre(HasSubstr("error inputs.a-b: 'a-b' cannot name"),
                          HasSubstr("error inputs.lr: there are two inputs"),
                          HasSubstr("warning inputs.Path: the name 'Path' is reserved")));
  spec = Good();
  spec.name = "a/b";
  EXPECT_THAT(Found(spec), Says("error name", "cannot name a run"));
}

TEST(ValidateTest, RefusesEnvironmentVariablesThatChangeTheShell) {
  PipelineSpec spec = Good();
  auto& variables = spec.steps[0].environment_variables;
  for (const char* name : {"PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "AZUREML_COMPUTE_X", "_x1"}) {
    variables[name] = "x";
  }
  EXPECT_THAT(Found(spec), IsEmpty());
  for (const char* name : {"LD_PRELOAD",
                           "BASH_ENV",
                           "ENV",
                           "IFS",
                           "PROMPT_COMMAND",
                           "SHELLOPTS",
                           "BASH_FUNC_x%%",
                           "POTOK_FENCE",
                           "AZUREML_RUN_ID",
                           "1x",
                           "a-b",
                           "a=b",
                           ""}) {
    variables = {{name, "x"}};
    EXPECT_THAT(Found(spec),
                Says(std::string("error jobs.prepare.environment_variables.") + name, ""))
        << name;
  }
  variables = {{"X", std::string("a\0", 2)}};
  EXPECT_THAT(Found(spec), Says("error jobs.prepare.environment_variables.X", "zero byte"));
  variables = {{"X", "${{inputs.raw}}"}};
  EXPECT_THAT(Found(spec), Says("warning jobs.prepare.environment_variables.X", "not replaced"));
}

TEST(ValidateTest, FindsUnknownStepsInDependsOn) {
  PipelineSpec spec = Good();
  spec.steps[1].depends_on = {"prepar", "train", "prepare"};
  EXPECT_THAT(
      Found(spec),
      ElementsAre(HasSubstr("error jobs.train.depends_on: there is no step 'prepar'; did you"),
                  HasSubstr("error jobs.train.depends_on: the step depends on itself")));
}

TEST(ValidateTest, FindsNumbersThatNoMachineHas) {
  PipelineSpec spec = Good();
  Step& step = spec.steps[0];
  step.timeout_seconds = -1;
  step.instance_count = 0;
  step.resources.memory_bytes = -5;
  step.distribution.type = "nccl";
  step.distribution.process_count_per_instance = 0;
  EXPECT_THAT(
      Found(spec),
      ElementsAre(HasSubstr("jobs.prepare.resources.instance_count: 0 machines"),
                  HasSubstr("jobs.prepare.resources: memory_bytes is -5; it must be from 0"),
                  HasSubstr("jobs.prepare.distribution.type: 'nccl' is unknown"),
                  HasSubstr("jobs.prepare.distribution.process_count_per_instance: 0"),
                  HasSubstr("jobs.prepare.limits.timeout: -1 seconds")));
}

TEST(ValidateTest, FindsWrongModesLimitsAndPaths) {
  PipelineSpec spec = Good();
  spec.steps[0].inputs[0].mode = Mode::kEvalMount;
  spec.steps[0].outputs[0].mode = Mode::kDownload;
  spec.steps[0].outputs[0].path = "azureml://datastores/d/paths/${{nme}}";
  spec.steps[1].inputs[1].min = 2;
  spec.steps[1].inputs[1].max = 0;
  EXPECT_THAT(
      Found(spec),
      ElementsAre(HasSubstr("error jobs.prepare.inputs.raw: mode eval_mount is for"),
                  HasSubstr("error jobs.prepare.outputs.clean: mode download is for inputs"),
                  HasSubstr("error jobs.prepare.outputs.clean.path: ${{nme}} is not"),
                  HasSubstr("error jobs.train.inputs.lr: no value fits"),
                  HasSubstr("error jobs.train.inputs.lr: the pipeline's input 'lr'")));
}

TEST(ValidateTest, WantsAtLeastOneStepAndNotTooMany) {
  PipelineSpec spec;
  EXPECT_THAT(Found(spec), Says("error jobs", "no steps"));
  spec.steps.resize(kStepsMax + 1);
  EXPECT_THAT(Found(spec), Says("error jobs", "100001 steps"));
}

TEST(ValidateTest, ChecksAStandaloneJobByItsOneStep) {
  PipelineSpec spec;
  spec.is_pipeline = false;
  spec.steps = {AStep("main", "run ${{inputs.q}}", {}, {AnOutput("o")})};
  spec.outputs = {AnOutput("o")};
  EXPECT_THAT(Found(spec), Says("error jobs.main.command", "no input 'q'"));
  spec.steps = {AStep("main", "run"), AStep("other", "run")};
  EXPECT_THAT(Found(spec), Says("error jobs", "standalone job has one step"));
}

// A chain: each step takes what the one before made, and all take one input of the pipeline.
PipelineSpec AChain(std::size_t steps) {
  PipelineSpec spec = APipeline({AnInput("seed", ValueType::kInteger, TextValue{"1"})}, {}, {});
  spec.steps.reserve(steps);
  for (std::size_t i = 0; i < steps; ++i) {
    const std::string before = "step_" + std::to_string(i == 0 ? steps - 1 : i - 1);
    spec.steps.push_back(
        AStep("step_" + std::to_string(i),
              "run ${{inputs.data}} --seed ${{inputs.seed}} --out ${{outputs.o}}",
              {ABinding("data", ValueType::kUriFolder, "${{parent.jobs." + before + ".outputs.o}}"),
               ABinding("seed", ValueType::kInteger, "${{parent.inputs.seed}}")},
              {AnOutput("o")}));
  }
  return spec;
}

// Seconds of this program's processor time, so that a busy machine does not matter. A quadratic
// search through 100,000 steps would take minutes.
constexpr double kSecondsMax = 20.0;

double ProcessorSeconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

TEST(ValidateTest, TakesTheLargestPipelineInLinearTime) {
  PipelineSpec spec = AChain(kStepsMax);
  spec.steps[0].inputs[0].value = UriValue{"https://x/y"};
  const double start = ProcessorSeconds();
  EXPECT_THAT(Validate(spec), IsEmpty());
  const double seconds = ProcessorSeconds() - start;
  RecordProperty("milliseconds", static_cast<int>(seconds * 1000));
  EXPECT_LT(seconds, kSecondsMax);
}

TEST(ValidateTest, FindsTheCycleOfALongChainAndShortensItsPath) {
  EXPECT_THAT(Found(AChain(10'000)), Says("error jobs.step_0", "(9980 more) -> step_0"));
}

TEST(ValidateTest, TakesTheWorstOfTheLargestPipelinesInLinearTime) {
  PipelineSpec spec = AChain(kStepsMax);
  for (Step& step : spec.steps) step.inputs[0].value = TextValue{"${{parent.jobs.stp.outputs.o}}"};
  const double start = ProcessorSeconds();
  EXPECT_EQ(Validate(spec).size(), kStepsMax);
  EXPECT_LT(ProcessorSeconds() - start, kSecondsMax);
}

}  // namespace
}  // namespace potok
