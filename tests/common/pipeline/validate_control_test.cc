// Validate over loops, conditions, sweeps, mini-batches and policies.
#include <cmath>
#include <limits>

#include "common/pipeline/control.h"
#include "common/pipeline/validate.h"
#include "gmock/gmock.h"
#include "tests/common/pipeline/spec_builder.h"

namespace potok {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

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

Output ATyped(const std::string& name, ValueType type, const std::string& promoted_to = "") {
  Output output = APromoted(name, promoted_to);
  output.type = type;
  return output;
}

// A step with a body of one step that has the same ports.
template <class Kind>
Step AnEnclosing(const Kind& kind, std::vector<Input> inputs, std::vector<Output> outputs) {
  Step body = AStep("", "run");
  for (const Input& input : inputs) {
    if (input.name == kItemsInput) continue;
    body.inputs.push_back(
        ABinding(input.name, input.type, "${{parent.inputs." + input.name + "}}"));
  }
  for (const Output& output : outputs) {
    body.outputs.push_back(ATyped(output.name, output.type, output.name));
  }
  Step step = AStep("loop", "", std::move(inputs), std::move(outputs));
  step.control = std::make_shared<const Control>(Control{kind, {body}});
  return step;
}

PipelineSpec With(Step step) {
  return APipeline({}, {}, {std::move(step)});
}

DoWhile AWhile() {
  DoWhile loop;
  loop.condition = "go_on";
  loop.mapping = {{"y", {"x"}}};
  loop.max_iterations = 5;
  return loop;
}
Step AWhileStep(const DoWhile& loop) {
  return AnEnclosing(loop,
                     {ABinding("x", ValueType::kNumber, "1")},
                     {ATyped("y", ValueType::kNumber), ATyped("go_on", ValueType::kBoolean)});
}

TEST(ValidateControlTest, FindsNothingInAGoodLoop) {
  EXPECT_THAT(Found(With(AWhileStep(AWhile()))), IsEmpty());
}

TEST(ValidateControlTest, FindsWhatIsWrongWithADoWhile) {
  DoWhile loop = AWhile();
  loop.condition = "go";
  EXPECT_THAT(Found(With(AWhileStep(loop))), Says("error jobs.loop.condition", "no output 'go'"));
  loop.condition = "y";
  EXPECT_THAT(Found(With(AWhileStep(loop))), Says("error jobs.loop.condition", "is number"));
  loop = AWhile();
  loop.max_iterations = 1001;
  EXPECT_THAT(Found(With(AWhileStep(loop))),
              Says("error jobs.loop.limits.max_iteration_count", "1001 iterations"));
  loop = AWhile();
  loop.mapping = {{"y", {"z"}}, {"q", {"x"}}};
  EXPECT_THAT(Found(With(AWhileStep(loop))),
              ElementsAre(HasSubstr("no output 'q'"), HasSubstr("no input 'z'")));
  loop.mapping = {{"go_on", {"x"}}, {"y", {"x"}}};
  EXPECT_THAT(Found(With(AWhileStep(loop))), Says("error jobs.loop.mapping.y", "one source"));
}

TEST(ValidateControlTest, ChecksTheBodyByTheRulesOfAnyLevel) {
  Step step = AWhileStep(AWhile());
  auto control = std::make_shared<Control>(*step.control);
  control->body[0].inputs[0].value = TextValue{"${{parent.inputs.xx}}"};
  control->body[0].command = "run ${{inputs.q}}";
  step.control = control;
  EXPECT_THAT(Found(With(step)),
              ElementsAre(AllOf(StartsWith("error jobs.loop/body.command: "), HasSubstr("'q'")),
                          AllOf(StartsWith("error jobs.loop/body.inputs.x: "),
                                HasSubstr("the step 'loop' around it has no input 'xx'"))));
}

TEST(ValidateControlTest, FindsCirclesInsideOfABody) {
  Step step = AWhileStep(AWhile());
  auto control = std::make_shared<Control>(*step.control);
  control->body[0].name = "a";
  control->body.push_back(AStep("b", "b"));
  control->body[0].depends_on = {"b"};
  control->body[1].depends_on = {"a"};
  step.control = control;
  EXPECT_THAT(Found(With(step)), Says("error jobs.loop/a", "a -> b -> a"));
}

TEST(ValidateControlTest, LimitsTheLevels) {
  Step step = AStep("s", "run");
  for (int i = 0; i < 60; ++i) {
    Step outer = AStep("s", "");
    outer.control = std::make_shared<const Control>(Control{Nested{}, {step}});
    step = outer;
  }
  EXPECT_THAT(Found(With(step)), Contains(HasSubstr("more than 50 levels")));
}

Step AFor(const std::string& items) {
  return AnEnclosing(ParallelFor{2},
                     {AnInput("lr", ValueType::kNumber, std::monostate()),
                      ABinding("n", ValueType::kInteger, "1"),
                      ABinding(kItemsInput, ValueType::kString, items)},
                     {});
}

TEST(ValidateControlTest, ChecksItemsThatAreWritten) {
  EXPECT_THAT(Found(With(AFor(R"([{"lr": 0.1}, {"lr": 2}])"))), IsEmpty());
  EXPECT_THAT(Found(With(AFor(R"([{"n": 1}])"))),
              Says("error jobs.loop.inputs.lr", "a value is required"));
  EXPECT_THAT(Found(With(AFor(R"([{"lr": "x"}])"))), Says("error jobs.loop.items", "'x'"));
  EXPECT_THAT(Found(With(AFor(R"([{"lrr": 1, "lr": 1}])"))),
              Says("error jobs.loop.items", "no input 'lrr'; did you mean 'lr'?"));
  EXPECT_THAT(Found(With(AFor("[1]"))), Says("error jobs.loop.items", "no map"));
}

TEST(ValidateControlTest, LeavesItemsOfAStepToTheRun) {
  PipelineSpec spec = With(AFor("${{parent.jobs.list.outputs.o}}"));
  spec.steps.push_back(AStep("list", "list", {}, {ATyped("o", ValueType::kString)}));
  EXPECT_THAT(Found(spec), IsEmpty());
}

// They would fail only when the loop begins: nothing is fetched while a run goes on.
TEST(ValidateControlTest, TellsOfFilesThatItemsGiveByTheirAddresses) {
  const auto loop = [](Mode mode) {
    const std::string items = R"([{"files": {"path": "azureml://datastores/d/paths/1"}}])";
    Step step = AnEnclosing(ParallelFor{},
                            {AnInput("files", ValueType::kUriFolder, std::monostate()),
                             ABinding(kItemsInput, ValueType::kString, items)},
                            {});
    auto control = std::make_shared<Control>(*step.control);
    control->body[0].inputs[0].mode = mode;
    step.control = std::move(control);
    return step;
  };
  EXPECT_THAT(Found(With(loop(Mode::kDefault))),
              ElementsAre(HasSubstr("warning jobs.loop.items: the items give input 'files'")));
  EXPECT_THAT(std::string(CheckRunnable(With(loop(Mode::kDefault))).message()),
              HasSubstr("which is not run here"));
  EXPECT_THAT(Found(With(loop(Mode::kDirect))), IsEmpty());
  EXPECT_TRUE(CheckRunnable(With(loop(Mode::kDirect))).ok());
}

TEST(ValidateControlTest, NeedsItemsUnderTheirOwnName) {
  EXPECT_THAT(Found(With(AnEnclosing(ParallelFor{}, {}, {}))),
              Says("error jobs.loop.items", "no items"));
  PipelineSpec spec = With(AStep("a", "run", {ABinding(kItemsInput, ValueType::kString, "x")}));
  EXPECT_THAT(Found(spec), Says("error jobs.a.inputs.$items", "cannot name an input"));
}

SearchParameter AParameter(const std::string& type,
                           std::map<std::string, double> numbers,
                           std::vector<std::string> values = {}) {
  return {"lr", type, std::move(values), std::move(numbers)};
}
Sweep ASweep() {
  Sweep sweep;
  sweep.space = {AParameter("uniform", {{"min_value", 0}, {"max_value", 1}})};
  sweep.algorithm = "random";
  sweep.primary_metric = "loss";
  sweep.max_total_trials = 4;
  return sweep;
}
std::vector<std::string> FoundIn(const Sweep& sweep, ValueType type = ValueType::kNumber) {
  return Found(With(AnEnclosing(sweep, {AnInput("lr", type, std::monostate())}, {})));
}
std::vector<std::string> FoundIn(const SearchParameter& parameter) {
  Sweep sweep = ASweep();
  sweep.space = {parameter};
  return FoundIn(sweep);
}

TEST(ValidateControlTest, FindsNothingInEachTypeOfSearchSpace) {
  for (const SearchParameter& parameter :
       {AParameter("choice", {}, {"1", "1e-3"}),
        AParameter("randint", {{"upper", 3}}),
        AParameter("loguniform", {{"min_value", -6}, {"max_value", 0}}),
        AParameter("quniform", {{"min_value", 0}, {"max_value", 9}, {"q", 3}}),
        AParameter("qloguniform", {{"min_value", 0}, {"max_value", 9}, {"q", 3}}),
        AParameter("normal", {{"mu", 0}, {"sigma", 1}}),
        AParameter("lognormal", {{"mu", 0}, {"sigma", 1}}),
        AParameter("qnormal", {{"mu", 0}, {"sigma", 1}, {"q", 2}}),
        AParameter("qlognormal", {{"mu", 0}, {"sigma", 1}, {"q", 2}})}) {
    EXPECT_THAT(FoundIn(parameter), IsEmpty()) << parameter.type;
  }
}

TEST(ValidateControlTest, FindsWrongSearchSpaces) {
  EXPECT_THAT(FoundIn(AParameter("unifrom", {})), Contains(HasSubstr("no type of search space")));
  EXPECT_THAT(FoundIn(AParameter("uniform", {{"min_value", 0}})),
              Says("error jobs.loop.search_space.lr", "has max_value; it is missing"));
  EXPECT_THAT(FoundIn(AParameter("uniform", {{"min_value", 2}, {"max_value", 1}})),
              Says("error jobs.loop.search_space.lr", "not below"));
  EXPECT_THAT(FoundIn(AParameter("normal", {{"mu", 2}, {"sigma", 0}})),
              Says("error jobs.loop.search_space.lr", "sigma is 0"));
  EXPECT_THAT(FoundIn(AParameter("choice", {})), Contains(HasSubstr("nothing to choose from")));
  EXPECT_THAT(FoundIn(AParameter("choice", {}, {"1", "x"})), Contains(HasSubstr("'x'")));
  EXPECT_THAT(FoundIn(ASweep(), ValueType::kBoolean), Contains(HasSubstr("gives numbers")));
  EXPECT_THAT(FoundIn(ASweep(), ValueType::kUriFile), Contains(HasSubstr("only values")));
  Sweep sweep = ASweep();
  sweep.space[0].name = "rate";
  EXPECT_THAT(FoundIn(sweep), Contains(HasSubstr("the trial has no input 'rate'")));
}

// A trial would get "inf" or "nan", or an integer that is none.
TEST(ValidateControlTest, FindsSearchSpacesOfWhichSomeValuesAreNoNumbers) {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  for (const SearchParameter& parameter :
       {AParameter("uniform", {{"min_value", 0}, {"max_value", kInfinite}}),
        AParameter("uniform", {{"min_value", -1.7e308}, {"max_value", 1.7e308}}),
        AParameter("loguniform", {{"min_value", 0}, {"max_value", 800}}),
        AParameter("quniform", {{"min_value", 0}, {"max_value", 9}, {"q", 1e-310}}),
        AParameter("quniform", {{"min_value", 0}, {"max_value", 9}, {"q", kInfinite}}),
        AParameter("quniform", {{"min_value", 0}, {"max_value", 1.7e308}, {"q", 1e308}}),
        AParameter("normal", {{"mu", kInfinite}, {"sigma", 1}}),
        AParameter("lognormal", {{"mu", 0}, {"sigma", 100}}),
        AParameter("randint", {{"upper", 1e300}}),
        AParameter("randint", {{"upper", kInfinite}})}) {
    EXPECT_THAT(FoundIn(parameter), Says("error jobs.loop.search_space.lr", "narrow the search"))
        << parameter.type;
  }
  Sweep sweep = ASweep();
  sweep.space = {AParameter("quniform", {{"min_value", 0}, {"max_value", 9}, {"q", 0.5}})};
  EXPECT_THAT(FoundIn(sweep), IsEmpty());
  EXPECT_THAT(FoundIn(sweep, ValueType::kInteger),
              Says("error jobs.loop.search_space.lr", "write a whole number"));
  sweep.space[0].numbers = {{"min_value", 0}, {"max_value", 1e17}, {"q", 1}};
  EXPECT_THAT(FoundIn(sweep, ValueType::kInteger),
              Says("error jobs.loop.search_space.lr", "too large to be integers"));
  for (const double base : {0.0, -2.0, kInfinite}) {
    sweep = ASweep();
    sweep.logbase = base;
    EXPECT_THAT(FoundIn(sweep), Says("error jobs.loop.sampling_algorithm.logbase", "above 0"));
  }
}

TEST(ValidateControlTest, FindsValuesThatTheTrialsInputDoesNotTake) {
  const auto found = [](const SearchParameter& parameter) {
    Sweep sweep = ASweep();
    sweep.space = {parameter};
    Input input = AnInput("lr", ValueType::kNumber, std::monostate());
    input.min = 1e-3;
    input.max = 1;
    return Found(With(AnEnclosing(sweep, {input}, {})));
  };
  EXPECT_THAT(found(AParameter("uniform", {{"min_value", 1e-3}, {"max_value", 1}})), IsEmpty());
  EXPECT_THAT(found(AParameter("loguniform", {{"min_value", -6.9078}, {"max_value", 0}})),
              IsEmpty());
  EXPECT_THAT(found(AParameter("normal", {{"mu", 0}, {"sigma", 1}})), IsEmpty());
  EXPECT_THAT(found(AParameter("uniform", {{"min_value", 1e-3}, {"max_value", 2}})),
              Says("error jobs.loop.search_space.lr", "up to 2 are searched"));
  EXPECT_THAT(found(AParameter("quniform", {{"min_value", 0}, {"max_value", 1}, {"q", 0.1}})),
              Says("error jobs.loop.search_space.lr", "from 0 on are searched"));
  EXPECT_THAT(found(AParameter("loguniform", {{"min_value", -8}, {"max_value", 0}})),
              Says("error jobs.loop.search_space.lr", "below its minimum, 0.001"));
  EXPECT_THAT(found(AParameter("randint", {{"upper", 1}})),
              Says("error jobs.loop.search_space.lr", "from 0 on are searched"));
}

TEST(ValidateControlTest, FindsWrongAlgorithmsLimitsAndRules) {
  Sweep sweep = ASweep();
  sweep.algorithm = "grid";
  EXPECT_THAT(FoundIn(sweep), Says("error jobs.loop.search_space.lr", "only choice"));
  sweep.algorithm = "bayesian";
  EXPECT_THAT(FoundIn(sweep), IsEmpty());
  sweep.algorithm = "best";
  EXPECT_THAT(FoundIn(sweep), Says("error jobs.loop.sampling_algorithm", "'best'"));
  sweep = ASweep();
  sweep.rule = "halton";
  EXPECT_THAT(FoundIn(sweep), Says("error jobs.loop.sampling_algorithm.rule", "'halton'"));
  sweep = ASweep();
  sweep.primary_metric.clear();
  sweep.max_total_trials = 0;
  EXPECT_THAT(FoundIn(sweep), ElementsAre(HasSubstr("no metric"), HasSubstr("0 trials")));
  sweep = ASweep();
  sweep.early_termination.policy = "bandit";
  EXPECT_THAT(FoundIn(sweep), Says("error jobs.loop.early_termination", "slack_factor"));
  sweep.early_termination.slack_factor = 0.1;
  EXPECT_THAT(FoundIn(sweep), IsEmpty());
  sweep.early_termination.policy = "truncation_selection";
  sweep.early_termination.truncation_percentage = 100;
  EXPECT_THAT(FoundIn(sweep), Contains(HasSubstr("100 is no percentage")));
  sweep.early_termination.policy = "patience";
  EXPECT_THAT(FoundIn(sweep), Contains(HasSubstr("'patience' is no rule")));
}

TEST(ValidateControlTest, NeedsABooleanConditionAndFindsOneThatIsNone) {
  Step step = AStep("c", "", {ABinding(kConditionInput, ValueType::kBoolean, "true")});
  step.outputs = {ATyped(kTakenOutput, ValueType::kBoolean)};
  step.control = std::make_shared<const Control>(Control{Condition{}, {}});
  EXPECT_THAT(Found(With(step)), IsEmpty());
  PipelineSpec spec = With(step);
  spec.steps.push_back(AStep("a", "run", {}, {ATyped("o", ValueType::kString)}));
  spec.steps[0].inputs[0].value = TextValue{"${{parent.jobs.a.outputs.o}}"};
  EXPECT_THAT(Found(spec), Contains(HasSubstr("error jobs.c.condition")));
  step.inputs.clear();
  EXPECT_THAT(Found(With(step)), Says("error jobs.c.condition", "a condition is a boolean"));
}

TEST(ValidateControlTest, ChecksMiniBatches) {
  Parallel parallel;
  parallel.entry_script = "score.py";
  parallel.input_data = "images";
  parallel.append_row_to = "rows";
  parallel.mini_batch_size = "10kb";
  parallel.program_arguments = "--n ${{inputs.n}}";
  Step step = AStep("p",
                    "",
                    {AnInput("images", ValueType::kUriFolder, UriValue{"https://x/y"}),
                     ABinding("n", ValueType::kInteger, "1")},
                    {ATyped("rows", ValueType::kUriFile)});
  step.control = std::make_shared<const Control>(Control{parallel, {}});
  EXPECT_THAT(Found(With(step)), IsEmpty());
  parallel.entry_script.clear();
  parallel.input_data = "n";
  parallel.append_row_to = "row";
  parallel.mini_batch_size = "many";
  parallel.error_threshold = -2;
  parallel.program_arguments = "--n ${{inputs.q}}";
  step.control = std::make_shared<const Control>(Control{parallel, {}});
  EXPECT_THAT(Found(With(step)),
              ElementsAre(StartsWith("error jobs.p.task.program_arguments: "),
                          StartsWith("error jobs.p.task.entry_script: "),
                          StartsWith("error jobs.p.input_data: "),
                          StartsWith("error jobs.p.task.append_row_to: "),
                          StartsWith("error jobs.p.mini_batch_size: "),
                          StartsWith("error jobs.p.error_threshold: ")));
}

TEST(ValidateControlTest, RunsNothingOfAnotherService) {
  Step step = AStep("s", "", {AnInput("x", ValueType::kString, std::monostate())});
  step.control = std::make_shared<const Control>(Control{Opaque{"spark", "write a command"}, {}});
  const PipelineSpec spec = With(step);
  EXPECT_THAT(Found(spec), Says("warning jobs.s.type", "spark"));
  const absl::Status status = CheckRunnable(spec);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              AllOf(StartsWith("jobs.s.type: "), HasSubstr("write a command")));
  EXPECT_TRUE(CheckRunnable(With(AStep("s", "run"))).ok());
}

TEST(ValidateControlTest, ChecksPolicies) {
  Step step = AStep("s", "run", {ABinding("x", ValueType::kString, "1")});
  step.retry = {3, {"oom", "exit_code"}, {1, 255}, 30, 2};
  step.reuse = {true, false, 60, "salt", {"x"}};
  step.priority = 1000;
  step.queue_timeout_seconds = 5;
  EXPECT_THAT(Found(With(step)), IsEmpty());
  step.retry = {0, {"oops"}, {0}, -1, 0.5};
  step.reuse = {true, true, -1, "", {"y"}};
  step.priority = -1001;
  step.queue_timeout_seconds = -5;
  EXPECT_THAT(Found(With(step)),
              ElementsAre(StartsWith("error jobs.s.queue_timeout: -5 seconds"),
                          StartsWith("error jobs.s.retry.max_attempts: 0"),
                          StartsWith("error jobs.s.retry.on: 'oops'"),
                          StartsWith("error jobs.s.retry.exit_codes: 0 "),
                          StartsWith("error jobs.s.retry.exit_codes: these count only"),
                          StartsWith("error jobs.s.retry.delay: -1"),
                          StartsWith("error jobs.s.retry.backoff: 0.5"),
                          StartsWith("error jobs.s.reuse.max_age: -1"),
                          StartsWith("error jobs.s.reuse.ignore_inputs: the step has no input 'y'"),
                          StartsWith("error jobs.s.priority: -1001")));
}

TEST(ValidateControlTest, ChecksThatMemoryCanGrow) {
  Step step = AStep("s", "run");
  step.resources.memory_bytes = 1 << 30;
  step.retry.max_attempts = 3;
  for (const double factor : {1.0, 1.5, 16.0}) {
    step.retry.memory_factor = factor;
    EXPECT_THAT(Found(With(step)), IsEmpty()) << factor;
  }
  for (const double factor : {0.99, 16.5, -1.0, std::nan(""), HUGE_VAL}) {
    step.retry.memory_factor = factor;
    EXPECT_THAT(Found(With(step)),
                ElementsAre(AllOf(StartsWith("error jobs.s.retry.memory_factor: "),
                                  HasSubstr("write 1 (the memory stays) to 16"))))
        << factor;
  }
  step.retry.memory_factor = 2;
  step.retry.on = {"timeout"};
  EXPECT_THAT(Found(With(step)),
              ElementsAre(StartsWith("error jobs.s.retry.memory_factor: it counts only with oom")));
  step.retry.on = {"oom"};
  step.resources.memory_bytes = 0;
  EXPECT_THAT(Found(With(step)),
              ElementsAre(StartsWith(
                  "error jobs.s.retry.memory_factor: there is no memory that could grow")));
  step.resources.memory_bytes = 1 << 30;
  step.instance_count = 2;
  EXPECT_THAT(Found(With(step)),
              ElementsAre(StartsWith(
                  "error jobs.s.retry.memory_factor: the memory of a step on 2 machines stays")));
}

PipelineSpec WithWhen(const std::string& when) {
  PipelineSpec spec = APipeline(
      {ABinding("mode", ValueType::kString, "fast")},
      {},
      {AStep("a", "run", {}, {ATyped("n", ValueType::kInteger), ATyped("f", ValueType::kUriFile)}),
       AStep("b", "run")});
  spec.steps[1].when = when;
  return spec;
}

TEST(ValidateControlTest, ChecksWhatConditionsName) {
  EXPECT_THAT(Found(WithWhen("jobs.a.outputs.n > 3 and inputs.mode == 'fast'")), IsEmpty());
  EXPECT_THAT(Found(WithWhen("one_failed")), IsEmpty());
  EXPECT_THAT(Found(WithWhen("failed(aa)")), Says("error jobs.b.when", "no step 'aa'"));
  EXPECT_THAT(Found(WithWhen("failed(b)")), Says("error jobs.b.when", "looks at itself"));
  EXPECT_THAT(Found(WithWhen("jobs.a.outputs.m")), Says("error jobs.b.when", "no output 'm'"));
  EXPECT_THAT(Found(WithWhen("inputs.mod")), Says("error jobs.b.when", "did you mean 'mode'?"));
  EXPECT_THAT(Found(WithWhen("jobs.a.outputs.f")), Says("error jobs.b.when", "a file or folder"));
  EXPECT_THAT(Found(WithWhen("jobs.a.outputs.n == 'x'")), Says("error jobs.b.when", "never fits"));
  EXPECT_THAT(Found(WithWhen("failed(")), Says("error jobs.b.when", "has the end where"));
}

TEST(ValidateControlTest, FindsACircleThroughAWhen) {
  PipelineSpec spec = WithWhen("failed(a)");
  spec.steps[0].depends_on = {"b"};
  EXPECT_THAT(Found(spec), Says("error jobs.a", "a -> b -> a"));
}

TEST(ValidateControlTest, LetsNoDataPassToWhatFinalizes) {
  PipelineSpec spec = WithWhen("failed(a)");
  spec.steps[1].finalizes = true;
  EXPECT_THAT(Found(spec), Says("error jobs.b.when", "on_finalize"));
  spec = WithWhen("");
  spec.steps[0].finalizes = true;
  spec.steps[1].depends_on = {"a"};
  EXPECT_THAT(Found(spec), Says("error jobs.b.depends_on", "none can wait for it"));
  spec.steps[1].finalizes = true;
  EXPECT_THAT(Found(spec), IsEmpty());
}

TEST(ValidateControlTest, KeepsControlOutputsPrimitive) {
  PipelineSpec spec = WithWhen("");
  spec.steps[0].outputs[1].early_available = true;
  EXPECT_THAT(Found(spec), Says("error jobs.a.outputs.f", "early_available is for primitive"));
}

}  // namespace
}  // namespace potok
