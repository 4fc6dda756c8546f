#include "server/domain/plan.h"

#include <algorithm>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "tests/server/domain/builders.h"

namespace potok::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Artifact kFiles{DigestOf("files"), true, 5, ""};

Input AnInput(const std::string& name, ValueType type, Binding value) {
  Input input;
  input.name = name;
  input.type = type;
  input.value = std::move(value);
  return input;
}

// "text", "{1.0}" for output 0 of step 1, "files", "-" for no value.
std::string Describe(const PlanInput& input) {
  if (std::holds_alternative<std::monostate>(input.value)) return "-";
  if (std::holds_alternative<Artifact>(input.value)) return "files";
  std::string text;
  for (const PlanPart& part : std::get<std::vector<PlanPart>>(input.value)) {
    if (const auto* literal = std::get_if<std::string>(&part)) {
      text += *literal;
    } else {
      const auto& upstream = std::get<UpstreamOutput>(part);
      text += fmt::format("{{{}.{}}}", upstream.step, upstream.output);
    }
  }
  return text;
}

std::string ValueIn(const PipelineSpec& spec, std::uint32_t step, std::uint32_t input) {
  auto plan = BuildPlan(spec);
  EXPECT_TRUE(plan.ok()) << plan.status();
  return plan.ok() ? Describe((*plan)->segments.front()->steps[step].inputs[input]) : "";
}

TEST(PlanTest, ValuesOfThePipelinesInputsBecomeLiterals) {
  PipelineSpec spec = APipeline({AStep("a")
                                     .Text("rate", "${{parent.inputs.rate}}", ValueType::kNumber)
                                     .Data("files", "${{parent.inputs.files}}")
                                     .Data("uri", "${{parent.inputs.uri}}")});
  spec.inputs = {AnInput("rate", ValueType::kNumber, TextValue{"0.1"}),
                 AnInput("files", ValueType::kUriFolder, kFiles),
                 AnInput("uri", ValueType::kUriFolder, UriValue{"https://example.com/x"})};
  EXPECT_EQ(ValueIn(spec, 0, 0), "0.1");
  EXPECT_EQ(ValueIn(spec, 0, 1), "files");
  EXPECT_EQ(ValueIn(spec, 0, 2), "https://example.com/x");
}

TEST(PlanTest, APipelinesInputReadsAsItIsDeclaredBeforeAStepSeesIt) {
  PipelineSpec spec =
      APipeline({AStep("a").Text("label", "n=${{parent.inputs.n}}", ValueType::kString)});
  spec.inputs = {AnInput("n", ValueType::kInteger, TextValue{"10.0"})};
  EXPECT_EQ(ValueIn(spec, 0, 0), "n=10");
}

TEST(PlanTest, AnOutputOfAnotherStepIsAReferenceAndAnEdge) {
  const auto plan = APlan({AStep("train").Data("data", OutputOf("prepare", "rows")),
                           AStep("prepare").Output("log").Output("rows")});
  EXPECT_EQ(Describe(plan->planned(0).inputs[0]), "{1.1}");
  ASSERT_EQ(plan->planned(0).upstreams.size(), 1U);
  EXPECT_EQ(plan->planned(0).upstreams[0].step, 1U);
  EXPECT_TRUE(plan->planned(0).upstreams[0].required);
  EXPECT_THAT(plan->planned(1).dependents, ElementsAre(0U));
}

TEST(PlanTest, AnInputOfAnotherStepIsFollowedToWhatItIsBoundTo) {
  const auto plan = APlan({AStep("c").Data("x", "${{parent.jobs.b.inputs.x}}"),
                           AStep("b").Data("x", "${{parent.jobs.a.inputs.x}}"),
                           AStep("a").Data("x", OutputOf("source", "out")),
                           AStep("source").Output("out")});
  EXPECT_EQ(Describe(plan->planned(0).inputs[0]), "{3.0}");
  // The dependency is on the step that makes the data, not on those that also read it.
  ASSERT_EQ(plan->planned(0).upstreams.size(), 1U);
  EXPECT_EQ(plan->planned(0).upstreams[0].step, 3U);
}

TEST(PlanTest, ACircleMadeOnlyOfInputsIsRefused) {
  const auto plan = BuildPlan(
      APipeline({AStep("a").Text("x", "${{parent.jobs.b.inputs.x}}", ValueType::kString),
                 AStep("b").Text("x", "${{parent.jobs.a.inputs.x}}", ValueType::kString)}));
  EXPECT_EQ(plan.status().code(), absl::StatusCode::kInvalidArgument) << plan.status();
}

TEST(PlanTest, ACircleByWayOfAnotherStepsInputIsRefused) {
  const auto plan =
      BuildPlan(APipeline({AStep("a").Output("out").Data("x", "${{parent.jobs.b.inputs.x}}"),
                           AStep("b").Data("x", OutputOf("a", "out"))}));
  EXPECT_EQ(plan.status().code(), absl::StatusCode::kInvalidArgument) << plan.status();
}

TEST(PlanTest, AConcatenationKeepsItsPartsInOrder) {
  PipelineSpec spec =
      APipeline({AStep("b").Text("name",
                                 "run_${{parent.inputs.x}}_${{parent.jobs.a.outputs.best}}.txt",
                                 ValueType::kString),
                 AStep("a").Output("best", ValueType::kString)});
  spec.inputs = {AnInput("x", ValueType::kString, TextValue{"7"})};
  EXPECT_EQ(ValueIn(spec, 0, 0), "run_7_{1.0}.txt");
}

TEST(PlanTest, AnEmptyTextIsAValueAndAMissingOneIsNone) {
  PipelineSpec spec =
      APipeline({AStep("a").Text("empty", "", ValueType::kString).OptionalData("none", "")});
  spec.steps[0].inputs[1].value = std::monostate{};
  const auto plan = BuildPlan(spec);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(Describe((*plan)->segments.front()->steps[0].inputs[0]), "");
  EXPECT_EQ(Describe((*plan)->segments.front()->steps[0].inputs[1]), "-");
}

TEST(PlanTest, AnOptionalInputOfAPipelineWithoutValueLeavesTheStepWithoutEdge) {
  PipelineSpec spec = APipeline({AStep("a").OptionalData("x", "${{parent.inputs.x}}")});
  spec.inputs = {AnInput("x", ValueType::kUriFolder, std::monostate{})};
  spec.inputs[0].optional = true;
  const auto plan = BuildPlan(spec);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(Describe((*plan)->segments.front()->steps[0].inputs[0]), "-");
  EXPECT_THAT((*plan)->segments.front()->steps[0].upstreams, IsEmpty());
}

TEST(PlanTest, AnEdgeIsOptionalOnlyIfAllThatComesOverItIs) {
  const auto plan =
      APlan({AStep("a").Output("x").Output("y"),
             AStep("b").OptionalData("x", OutputOf("a", "x")),
             AStep("c").OptionalData("x", OutputOf("a", "x")).Data("y", OutputOf("a", "y")),
             AStep("d").OptionalData("x", OutputOf("a", "x")).After("a")});
  EXPECT_FALSE(plan->planned(1).upstreams[0].required);
  ASSERT_EQ(plan->planned(2).upstreams.size(), 1U);
  EXPECT_TRUE(plan->planned(2).upstreams[0].required);
  ASSERT_EQ(plan->planned(3).upstreams.size(), 1U);
  EXPECT_TRUE(plan->planned(3).upstreams[0].required);
  EXPECT_THAT(plan->planned(0).dependents, ElementsAre(1U, 2U, 3U));
}

TEST(PlanTest, ThePoolIsTheStepsComputeOrThePipelinesDefault) {
  PipelineSpec spec = APipeline({AStep("own").Pool("azureml:gpu"),
                                 AStep("default"),
                                 AStep("serverless").Pool("serverless"),
                                 AStep("local").Pool("azureml:local")});
  spec.settings.default_compute = "azureml:cpu";
  const auto plan = BuildPlan(spec);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ((*plan)->shape_of(0).pool, "gpu");
  EXPECT_EQ((*plan)->shape_of(1).pool, "cpu");
  EXPECT_EQ((*plan)->shape_of(2).pool, "");
  EXPECT_EQ((*plan)->shape_of(3).pool, "");
}

TEST(PlanTest, StepsThatAskForTheSameShareAShapeAndAskForACpuAtLeast) {
  const auto plan = APlan({AStep("a"), AStep("b"), AStep("c").Memory(kGiB).Cpus(500)});
  EXPECT_EQ(plan->shapes.size(), 2U);
  EXPECT_EQ(plan->planned(0).shape, plan->planned(1).shape);
  EXPECT_EQ(plan->shape_of(0).request, (Resources{0, 1000, 0}));
  EXPECT_EQ(plan->shape_of(2).request, (Resources{kGiB, 500, 0}));
}

TEST(PlanTest, AWrongPipelineIsRefusedWithALinePerProblem) {
  const auto plan = BuildPlan(
      APipeline({AStep("a").Data("x", OutputOf("nobody", "out")), AStep("b").After("nothing")}));
  EXPECT_EQ(plan.status().code(), absl::StatusCode::kInvalidArgument);
  const std::string message(plan.status().message());
  EXPECT_THAT(message, HasSubstr("nobody"));
  EXPECT_THAT(message, HasSubstr("\n"));
  EXPECT_THAT(message, HasSubstr("nothing"));
}

TEST(PlanTest, FilesThatWereNotUploadedAreRefused) {
  PipelineSpec spec = APipeline({AStep("a").Data("x", "")});
  spec.steps[0].inputs[0].value = LocalPath{"/home/me/data"};
  EXPECT_EQ(BuildPlan(spec).status().code(), absl::StatusCode::kInvalidArgument);
  PipelineSpec code = APipeline({AStep("a")});
  code.steps[0].code = LocalCode{"/home/me/src", {}};
  EXPECT_EQ(BuildPlan(code).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(PlanTest, AHundredThousandStepsInOneChainOfInputsArePlanned) {
  std::vector<Step> steps = {AStep("s0").Text("x", "v", ValueType::kString)};
  for (int i = 1; i < 100'000; ++i) {
    // The last step's value is found by following all others: the deepest chain there can be.
    steps.push_back(
        AStep(fmt::format("s{}", i))
            .Text("x", fmt::format("${{{{parent.jobs.s{}.inputs.x}}}}", i - 1), ValueType::kString)
            .After(fmt::format("s{}", i - 1)));
  }
  std::reverse(steps.begin(), steps.end());
  const auto plan = APlan(std::move(steps));
  EXPECT_EQ(Describe(plan->planned(0).inputs[0]), "v");
  EXPECT_EQ(plan->planned(99'999).dependents.size(), 1U);
}

}  // namespace
}  // namespace potok::server
