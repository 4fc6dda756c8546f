#include "common/rpc/pipeline_convert.h"

#include <google/protobuf/util/message_differencer.h>

#include "common/pipeline/control.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace potok {
namespace {

using ::google::protobuf::util::MessageDifferencer;
using ::testing::ElementsAre;

v1::PipelineSpec APipelineOnTheWire() {
  v1::PipelineSpec spec;
  spec.set_is_pipeline(true);
  v1::Step& step = *spec.add_steps();
  step.set_name("train");
  step.set_command("train.py");
  step.add_depends_on("prepare");
  v1::Input& input = *step.add_inputs();
  input.set_name("lr");
  input.set_type(v1::VALUE_TYPE_NUMBER);
  input.mutable_value()->set_text("0.1");
  v1::Output& output = *step.add_outputs();
  output.set_name("model");
  output.set_type(v1::VALUE_TYPE_URI_FOLDER);
  return spec;
}

std::string ErrorOf(const v1::PipelineSpec& spec) {
  return std::string(FromProto(spec).status().message());
}

TEST(PipelineConvertTest, ComesBackAsItWas) {
  const auto spec = FromProto(APipelineOnTheWire());
  ASSERT_TRUE(spec.ok()) << spec.status();
  const auto again = FromProto(ToProto(*spec));
  ASSERT_TRUE(again.ok()) << again.status();
  ASSERT_EQ(again->steps.size(), 1U);
  const Step& step = again->steps[0];
  EXPECT_EQ(step.name, "train");
  EXPECT_EQ(step.command, "train.py");
  EXPECT_THAT(step.depends_on, ElementsAre("prepare"));
  ASSERT_EQ(step.inputs.size(), 1U);
  EXPECT_EQ(step.inputs[0].type, ValueType::kNumber);
  EXPECT_EQ(std::get<TextValue>(step.inputs[0].value).text, "0.1");
  ASSERT_EQ(step.outputs.size(), 1U);
  EXPECT_EQ(step.outputs[0].name, "model");
}

TEST(PipelineConvertTest, SaysAtWhichPortATypeIsNotKnown) {
  v1::PipelineSpec spec = APipelineOnTheWire();
  spec.mutable_steps(0)->mutable_inputs(0)->set_type(static_cast<v1::ValueType>(99));
  EXPECT_EQ(ErrorOf(spec), "jobs.train.inputs.lr: value type 99 is not known to this server");
  spec = APipelineOnTheWire();
  spec.mutable_steps(0)->mutable_outputs(0)->set_mode(static_cast<v1::Mode>(99));
  EXPECT_EQ(ErrorOf(spec), "jobs.train.outputs.model: mode 99 is not known to this server");
  spec = APipelineOnTheWire();
  spec.add_inputs()->set_name("data");
  EXPECT_EQ(ErrorOf(spec), "inputs.data: value type 0 is not known to this server");
}

TEST(PipelineConvertTest, SaysWhichStepAsksForLessThanNothing) {
  v1::PipelineSpec spec = APipelineOnTheWire();
  spec.mutable_steps(0)->mutable_resources()->set_gpus(-1);
  EXPECT_EQ(ErrorOf(spec), "jobs.train: resources cannot be negative: gpus: -1");
}

TEST(PipelineConvertTest, ReadsGpusOfASpecThatKnowsOnlyWholeOnes) {
  v1::PipelineSpec spec = APipelineOnTheWire();
  spec.mutable_steps(0)->mutable_resources()->set_gpus(2);
  EXPECT_EQ(FromProto(spec)->steps[0].resources.gpu_millis, 2000);
  spec.mutable_steps(0)->mutable_resources()->set_gpus(std::numeric_limits<std::int32_t>::max());
  EXPECT_EQ(FromProto(spec)->steps[0].resources.gpu_millis, 2'147'483'000);
}

TEST(PipelineConvertTest, KeepsWhatAStepAsksOfItsMachine) {
  PipelineSpec spec;
  Step step;
  step.name = "train";
  step.resources = {std::int64_t{1} << 30, 500, 250, 1000, {{"fpga", 2}}};
  step.gpu_models = {"A100", "H100"};
  step.gpu_memory_bytes = 40;
  step.label_expression = "zone == a";
  spec.steps.push_back(step);
  const v1::PipelineSpec wire = ToProto(spec);
  EXPECT_EQ(wire.steps(0).resources().gpus(), 0);
  const Step again = FromProto(wire)->steps.at(0);
  EXPECT_EQ(again.resources, step.resources);
  EXPECT_EQ(again.gpu_models, step.gpu_models);
  EXPECT_EQ(again.gpu_memory_bytes, 40);
  EXPECT_EQ(again.label_expression, "zone == a");
  spec.steps[0].resources.gpu_millis = 3000;
  EXPECT_EQ(ToProto(spec).steps(0).resources().gpus(), 3) << "for who knows only whole ones";
}

TEST(PipelineConvertTest, KeepsLoopsAndTheirBodies) {
  PipelineSpec spec;
  Step fit;
  fit.name = "fit";
  fit.retry = {3, {"oom", "exit_code"}, {75}, 1.5, 2, 1.75};
  fit.reuse = {true, false, 60, "2", {"seed"}};
  fit.when = "all_done";
  Control loop{DoWhile{"again", {{"out", {"in", "other"}}}, 7}, {fit}};
  Step outer;
  outer.name = "improve";
  outer.control = std::make_shared<const Control>(loop);
  Step tune;
  tune.name = "tune";
  Sweep sweep;
  sweep.space = {{"lr", "uniform", {}, {{"min_value", 0.5}, {"max_value", 1}}}};
  sweep.seed = 0;
  sweep.early_termination = {"bandit", 0.1, 0, 0, false, 2, 3};
  tune.control = std::make_shared<const Control>(Control{sweep, {outer}});
  spec.steps = {tune};

  const auto again = FromProto(ToProto(spec));
  ASSERT_TRUE(again.ok()) << again.status();
  const Control& read = *again->steps[0].control;
  EXPECT_EQ(std::get<Sweep>(read.kind).space[0].numbers.at("min_value"), 0.5);
  EXPECT_EQ(std::get<Sweep>(read.kind).seed, 0);
  EXPECT_EQ(std::get<Sweep>(read.kind).early_termination.delay_evaluation, 3);
  const Control& inner = *read.body[0].control;
  EXPECT_EQ(std::get<DoWhile>(inner.kind).max_iterations, 7);
  EXPECT_THAT(std::get<DoWhile>(inner.kind).mapping.at("out"), ElementsAre("in", "other"));
  EXPECT_EQ(inner.body[0].retry, fit.retry);
  EXPECT_EQ(inner.body[0].reuse, fit.reuse);
  EXPECT_EQ(inner.body[0].when, "all_done");
  EXPECT_TRUE(MessageDifferencer::Equals(ToProto(*again), ToProto(spec)));
}

TEST(PipelineConvertTest, RefusesAKindOfStepThatItDoesNotKnow) {
  v1::PipelineSpec spec = APipelineOnTheWire();
  spec.mutable_steps(0)->mutable_control();
  EXPECT_EQ(ErrorOf(spec), "jobs.train: a kind of step that is not known to this server");
}

}  // namespace
}  // namespace potok
