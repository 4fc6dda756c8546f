// Equal if and only if the meaning is equal: generated variations of steps, and the bytes of the
// decision record.
#include "server/domain/fingerprint.h"

#include <functional>
#include <random>

#include "common/base/digest.h"
#include "common/pipeline/control.h"
#include "gmock/gmock.h"

namespace potok::server {
namespace {

struct Sample {
  Step step;
  std::vector<OrderInput> inputs;
};

Artifact AFolder(const std::string& content) {
  return {DigestOf(content), true, static_cast<std::int64_t>(content.size()), ""};
}
Artifact AFile(const std::string& content, const std::string& name) {
  return {DigestOf(content), false, static_cast<std::int64_t>(content.size()), name};
}

Input AnInput(const std::string& name, ValueType type) {
  Input input;
  input.name = name;
  input.type = type;
  return input;
}
Output AnOutput(const std::string& name, ValueType type) {
  Output output;
  output.name = name;
  output.type = type;
  return output;
}

Fingerprint Of(const Sample& sample) {
  return FingerprintOf(sample.step, sample.inputs);
}

Sample RandomSample(std::mt19937& random) {
  const auto below = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
  const auto word = [&] { return "w" + std::to_string(below(5)); };
  Sample sample;
  sample.step.name = word();
  sample.step.command = "run " + word();
  if (below(2) == 0) sample.step.code = AFolder("code" + word());
  sample.step.environment_definition = "image: " + word();
  for (unsigned i = below(3); i > 0; --i) sample.step.environment_variables["V" + word()] = word();
  for (unsigned i = 0; i < 1 + below(4); ++i) {
    const std::string name = "in" + std::to_string(i);
    if (below(2) == 0) {
      sample.step.inputs.push_back(AnInput(name, ValueType::kString));
      sample.inputs.push_back({i, word()});
    } else if (below(2) == 0) {
      sample.step.inputs.push_back(AnInput(name, ValueType::kUriFolder));
      sample.inputs.push_back({i, AFolder(word())});
    } else {
      sample.step.inputs.push_back(AnInput(name, ValueType::kUriFile));
      sample.inputs.push_back({i, AFile(word(), word() + ".csv")});
    }
  }
  sample.step.outputs.push_back(AnOutput("out", ValueType::kUriFolder));
  if (below(2) == 0) sample.step.outputs.push_back(AnOutput("score", ValueType::kNumber));
  return sample;
}

using Change = std::function<void(Sample&)>;

// Each makes another step of any sample.
std::vector<std::pair<const char*, Change>> ChangesOfMeaning() {
  return {
      {"command", [](Sample& s) { s.step.command += " "; }},
      {"code", [](Sample& s) { s.step.code = AFolder("other code"); }},
      {"code as a file", [](Sample& s) { s.step.code = AFile("other code", "x.py"); }},
      {"environment", [](Sample& s) { s.step.environment_definition += "\nconda: x"; }},
      {"new variable", [](Sample& s) { s.step.environment_variables["NEW"] = ""; }},
      {"variable's value", [](Sample& s) { s.step.environment_variables["VW"] += "x"; }},
      {"input's value",
       [](Sample& s) {
         if (auto* text = std::get_if<std::string>(&s.inputs[0].value)) *text += "x";
         if (auto* file = std::get_if<Artifact>(&s.inputs[0].value)) file->digest = DigestOf("x");
       }},
      {"input's name", [](Sample& s) { s.step.inputs[0].name = "renamed"; }},
      {"input gone", [](Sample& s) { s.inputs.erase(s.inputs.begin()); }},
      {"input evaluated", [](Sample& s) { s.step.inputs[0].mode = Mode::kEvalMount; }},
      {"new output",
       [](Sample& s) { s.step.outputs.push_back(AnOutput("z", ValueType::kString)); }},
      {"output's type", [](Sample& s) { s.step.outputs[0].type = ValueType::kUriFile; }},
      {"output's name", [](Sample& s) { s.step.outputs[0].name = "renamed"; }},
      {"salt", [](Sample& s) { s.step.reuse.salt = "1"; }},
      {"distribution", [](Sample& s) { s.step.distribution.type = "pytorch"; }},
      {"instances", [](Sample& s) { s.step.instance_count = 2; }},
  };
}

// None of them makes another step.
std::vector<std::pair<const char*, Change>> ChangesOfNothing() {
  return {
      {"name", [](Sample& s) { s.step.name = "renamed"; }},
      {"display name", [](Sample& s) { s.step.display_name = "Shown"; }},
      {"description", [](Sample& s) { s.step.description = "why"; }},
      {"component", [](Sample& s) { s.step.component = "c"; }},
      {"component version", [](Sample& s) { s.step.component_version = "7"; }},
      {"tags", [](Sample& s) { s.step.tags["a"] = "b"; }},
      {"environment's name", [](Sample& s) { s.step.environment = "sklearn:7"; }},
      {"timeout", [](Sample& s) { s.step.timeout_seconds = 60; }},
      {"pool", [](Sample& s) { s.step.compute = "gpu-cluster"; }},
      {"memory", [](Sample& s) { s.step.resources.memory_bytes = 1 << 30; }},
      {"GPUs", [](Sample& s) { s.step.resources.gpu_millis = 1000; }},
      {"labels", [](Sample& s) { s.step.labels["zone"] = "b"; }},
      {"order", [](Sample& s) { s.step.depends_on = {"x"}; }},
      {"condition", [](Sample& s) { s.step.when = "all_done"; }},
      {"retries", [](Sample& s) { s.step.retry.max_attempts = 5; }},
      {"priority", [](Sample& s) { s.step.priority = 5; }},
      {"max_age", [](Sample& s) { s.step.reuse.max_age_seconds = 5; }},
      {"destination", [](Sample& s) { s.step.outputs[0].path = "azureml://x"; }},
      {"registration", [](Sample& s) { s.step.outputs[0].asset_name = "model"; }},
      {"promotion", [](Sample& s) { s.step.outputs[0].promoted_to = "model"; }},
      {"how it gets there", [](Sample& s) { s.step.inputs[0].mode = Mode::kDownload; }},
      {"an input without a value",
       [](Sample& s) { s.step.inputs.push_back(AnInput("zz", ValueType::kString)); }},
      {"order of ports",
       [](Sample& s) {
         std::ranges::reverse(s.step.outputs);
         std::ranges::reverse(s.inputs);
       }},
      {"an ignored input",
       [](Sample& s) {
         s.step.inputs.push_back(AnInput("seed", ValueType::kString));
         s.inputs.push_back({static_cast<std::uint32_t>(s.step.inputs.size() - 1), "42"});
         s.step.reuse.ignore_inputs = {"seed"};
       }},
  };
}

TEST(FingerprintTest, IsEqualExactlyWhereTheMeaningIs) {
  std::mt19937 random(20261130);
  for (int round = 0; round < 300; ++round) {
    const Sample sample = RandomSample(random);
    const Fingerprint before = Of(sample);
    for (const auto& [what, change] : ChangesOfMeaning()) {
      Sample changed = sample;
      change(changed);
      EXPECT_NE(Of(changed), before) << what << " in round " << round;
    }
    for (const auto& [what, change] : ChangesOfNothing()) {
      Sample changed = sample;
      change(changed);
      EXPECT_EQ(Of(changed), before) << what << " in round " << round;
    }
  }
}

// The name may be all that is known: then another name is another environment.
TEST(FingerprintTest, TakesAnEnvironmentThatNobodyDefinedByItsName) {
  Sample one;
  one.step.environment = "azureml:sklearn:1";
  Sample two = one;
  two.step.environment = "azureml:sklearn:2";
  EXPECT_NE(Of(one), Of(two));
}

// Two that are equal by accident would share results: fields end where they end.
TEST(FingerprintTest, DoesNotTakeOneFieldForAnother) {
  Sample a;
  a.step.environment_variables = {{"A", "1variable B"}};
  Sample b;
  b.step.environment_variables = {{"A", "1"}, {"B", ""}};
  EXPECT_NE(Of(a), Of(b));
  Sample text;
  text.step.inputs.push_back(AnInput("x", ValueType::kString));
  text.inputs.push_back({0, DigestOf("data").Hex()});
  Sample file = text;
  file.inputs[0].value = AFile("data", "");
  Sample folder = text;
  folder.inputs[0].value = AFolder("data");
  EXPECT_NE(Of(text), Of(file));
  EXPECT_NE(Of(file), Of(folder));
}

std::string HexOf(const Fingerprint& fingerprint) {
  return Digest{fingerprint, 0}.Hex();
}

// The vectors of docs/decisions/0032-fingerprint.md: they may never change for a version.
TEST(FingerprintTest, IsWhatTheRecordSays) {
  Sample bare;
  bare.step.command = "echo hello";
  EXPECT_EQ(HexOf(Of(bare)), "a38d2f284236b90b6621c8eb74d6ac2320603e4247d526e4a0fea7ac652132b6");
  Sample full;
  full.step.command = "python train.py --lr ${{inputs.lr}}";
  full.step.code = AFolder("code");
  full.step.environment_definition = "image: python:3.11";
  full.step.environment_variables = {{"SEED", "1"}};
  full.step.inputs = {AnInput("lr", ValueType::kNumber), AnInput("data", ValueType::kUriFile)};
  full.inputs = {{0, std::string("0.1")}, {1, AFile("a,b\n", "data.csv")}};
  full.step.outputs = {AnOutput("model", ValueType::kUriFolder)};
  EXPECT_EQ(HexOf(Of(full)), "9c9709a04f7fb4889cfe2357a27b344f2405304ca90a2b109f872b51bbf6f250");
}

TEST(FingerprintTest, KinAreTriesAtTheSameThing) {
  Step one;
  one.name = "fold[1]/fit";
  Step two;
  two.name = "fold[17]/fit";
  EXPECT_EQ(KinOf(one, one.name), KinOf(two, two.name));
  two.name = "fold[17]/score";
  EXPECT_NE(KinOf(one, one.name), KinOf(two, two.name));
  one.component = two.component = "fit_model";
  EXPECT_EQ(KinOf(one, one.name), KinOf(two, two.name));
}

TEST(FingerprintTest, OnlyDeterministicCommandsAreReusable) {
  Step step;
  EXPECT_TRUE(IsReusable(step));
  step.control = std::make_shared<const Control>(Control{Parallel{}, {}});
  EXPECT_TRUE(IsReusable(step));
  step.control = std::make_shared<const Control>(Control{ParallelFor{}, {}});
  EXPECT_FALSE(IsReusable(step));
  step.control = nullptr;
  step.deterministic = false;
  EXPECT_FALSE(IsReusable(step));
}

TEST(FingerprintTest, DestinationsAreOwnOnesAndThoseOfThePipeline) {
  PipelineSpec spec;
  Step step;
  step.outputs = {AnOutput("out", ValueType::kUriFolder)};
  EXPECT_FALSE(HasDestinations(spec, step));
  step.outputs[0].promoted_to = "model";
  spec.outputs = {AnOutput("model", ValueType::kUriFolder)};
  EXPECT_FALSE(HasDestinations(spec, step));
  spec.outputs[0].path = "azureml://datastores/d/paths/p";
  EXPECT_TRUE(HasDestinations(spec, step));
  step.outputs[0].promoted_to.clear();
  EXPECT_FALSE(HasDestinations(spec, step));
  step.outputs[0].asset_name = "model";
  EXPECT_TRUE(HasDestinations(spec, step));
}

}  // namespace
}  // namespace potok::server
