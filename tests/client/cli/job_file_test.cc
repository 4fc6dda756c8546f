// What is written as a file reads back as the same pipeline.
#include "client/cli/show/job_file.h"

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>

#include "client/frontend/azureml/load.h"
#include "common/pipeline/control.h"
#include "common/pipeline/when.h"
#include "common/rpc/pipeline_convert.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "tests/common/pipeline/spec_builder.h"

namespace potok::client {
namespace {

using testing::HasSubstr;

Artifact AnArtifact(const std::string& content, bool is_folder) {
  Artifact artifact;
  artifact.digest = DigestOf(content);
  artifact.is_folder = is_folder;
  artifact.total_bytes = 17;
  if (!is_folder) artifact.file_name = "a file.csv";
  return artifact;
}

class JobFileTest : public testing::Test {
 protected:
  JobFileTest() {
    std::string name = testing::TempDir() + "/job-file-XXXXXX";
    folder_ = mkdtemp(name.data());
  }
  ~JobFileTest() override { std::filesystem::remove_all(folder_); }

  std::string ReadBack(const PipelineSpec& spec, std::string* yaml) {
    const absl::StatusOr<std::string> text = JobFile(spec);
    EXPECT_TRUE(text.ok()) << text.status();
    if (!text.ok()) return "";
    *yaml = *text;
    const std::string file = folder_ + "/job.yml";
    std::ofstream(file) << *text;
    const Loaded loaded = LoadJob(file, {});
    for (const Diagnostic& diagnostic : loaded.diagnostics) {
      if (diagnostic.severity == Severity::kError) ADD_FAILURE() << ToString(diagnostic) << *text;
    }
    return loaded.spec ? potok::ToProto(*loaded.spec).DebugString() : "";
  }

  void ExpectSame(const PipelineSpec& spec) {
    PipelineSpec nameless = spec;
    nameless.name = "";
    std::string yaml;
    const std::string again = ReadBack(spec, &yaml);
    EXPECT_EQ(again, potok::ToProto(nameless).DebugString()) << yaml;
  }

  std::string folder_;
};

// As if it had been uploaded.
void Upload(std::vector<Input>& inputs) {
  for (Input& input : inputs) {
    const auto* local = std::get_if<LocalPath>(&input.value);
    if (local != nullptr) input.value = AnArtifact(local->path, input.type != ValueType::kUriFile);
  }
}

void Upload(std::vector<Step>& steps) {
  for (Step& step : steps) {
    Upload(step.inputs);
    if (std::holds_alternative<LocalCode>(step.code)) step.code = AnArtifact("code", true);
    if (step.control == nullptr) continue;
    auto control = std::make_shared<Control>(*step.control);
    Upload(control->body);
    step.control = std::move(control);
  }
}

TEST_F(JobFileTest, EveryGoodFileReadsBackAsItself) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(CASES)) {
    if (entry.path().extension() != ".yml") continue;
    std::filesystem::current_path(CASES);
    const Loaded loaded = LoadJob(entry.path().filename(), {});
    if (!loaded.spec) continue;  // one that needs --set
    SCOPED_TRACE(entry.path());
    PipelineSpec spec = *loaded.spec;
    Upload(spec.inputs);
    Upload(spec.steps);
    ExpectSame(spec);
    ++files;
  }
  EXPECT_GT(files, 10);
}

// Texts that YAML, expressions and Azure's typing could take for something else.
const std::vector<std::string>& OddTexts() {
  static const std::vector<std::string> texts = {"plain",
                                                 "0.1",
                                                 "1e-3",
                                                 "010",
                                                 "true",
                                                 "No",
                                                 "~",
                                                 "null",
                                                 "12:30",
                                                 "2024-01-01",
                                                 " blanks ",
                                                 "- a",
                                                 "a: b # c",
                                                 "{x}",
                                                 "\"quoted\" 'twice'",
                                                 "two\nlines\n",
                                                 "if x:\n    y\n\n  z",
                                                 " first\nindented",
                                                 "tab\there\nthere",
                                                 "line\xe2\x80\xa8separator\nx",
                                                 "\n",
                                                 "a\n\n",
                                                 "a \n",
                                                 "\\n \\ %",
                                                 "\xc5\xbb\xc3\xb3\xc5\x82w",
                                                 "$HOME `id` $(id)"};
  return texts;
}

class Generator {
 public:
  explicit Generator(std::uint32_t seed) : random_(seed) {}

  PipelineSpec Spec() {
    PipelineSpec spec;
    spec.display_name = MaybeText();
    spec.description = MaybeText();
    spec.experiment_name = "x" + Text();
    if (Chance()) spec.tags = {{"k", Text()}, {"other key", Text()}};
    if (Chance()) spec.properties = {{"potok.cloned_from", Text()}};
    spec.inputs = {Literal("lr"), AnInput("data", ValueType::kUriFolder, AnArtifact("d", true))};
    spec.outputs = {AnOutput("model")};
    if (Chance()) spec.outputs[0].path = "azureml://datastores/x/paths/${{name}}/m";
    if (Chance()) spec.outputs[0].mode = Mode::kUpload;
    spec.settings.default_compute = Chance() ? "gpu" : "";
    spec.settings.continue_on_step_failure = Chance();
    spec.settings.force_rerun = Chance();
    spec.steps = {First(), Second()};
    if (Chance()) spec.steps.push_back(Decide("decide"));
    if (Chance()) spec.steps.push_back(Repeated("again", DoWhile{Chance() ? "y" : "true", {}, 3}));
    if (Chance()) spec.steps.push_back(Repeated("each/one", ParallelFor{Chance() ? 2 : 0}));
    if (Chance()) spec.steps.push_back(Tried());
    if (Chance()) Order(&spec.steps);
    return spec;
  }

 private:
  bool Chance() { return random_() % 2 == 0; }
  std::string Text() { return OddTexts()[random_() % OddTexts().size()]; }
  std::string MaybeText() { return Chance() ? Text() : ""; }

  Input Literal(const std::string& name) {
    switch (random_() % 4) {
      case 0:
        return AnInput(name, ValueType::kString, TextValue{Text()});
      case 1:
        return AnInput(name, ValueType::kNumber, TextValue{"1e-3"});
      case 2:
        return AnInput(name, ValueType::kBoolean, TextValue{"True"});
      default: {
        Input input = AnInput(name, ValueType::kInteger, TextValue{"7"});
        input.min = -1;
        input.max = 1e6;
        return input;
      }
    }
  }

  void Settings(Step* step) {
    step->display_name = MaybeText();
    step->description = MaybeText();
    if (Chance()) step->component = "trainer";
    if (Chance()) step->component_version = "2";
    if (Chance()) step->code = AnArtifact("code", true);
    if (Chance()) step->environment_variables = {{"A", Text()}};
    if (Chance()) step->resources = {std::int64_t{3} << 30, 1500, 0};
    if (Chance()) step->resources.gpu_millis = Chance() ? 2000 : 250;
    if (step->resources.gpu_millis > 0 && Chance()) step->gpu_models = {"A100"};
    if (step->gpu_models.size() == 1 && Chance()) step->gpu_models.push_back("RTX 4090");
    if (step->resources.gpu_millis > 0 && Chance()) step->gpu_memory_bytes = std::int64_t{5} << 20;
    if (Chance()) step->resources.disk_bytes = 12345;
    if (Chance()) step->resources.named = {{"fpga", 2}, {"licence.x", 1}};
    if (Chance()) step->labels = {{"zone", "a"}};
    if (step->labels.empty() && Chance()) step->label_expression = "zone in (a, \"b\") && cpus > 2";
    if (Chance()) step->compute = "big";
    if (Chance()) step->instance_count = 2;
    if (Chance()) step->distribution = {"tensorflow", 2, {{"worker_count", "3"}}};
    if (Chance()) step->timeout_seconds = 60;
    if (Chance()) step->tags = {{"t", Text()}};
    step->deterministic = Chance();
  }

  Step First() {
    Step step = AStep("prepare",
                      "echo ${{inputs.text}} $[[--also ${{inputs.also}}]] " + Text(),
                      {AnInput("text", ValueType::kString, TextValue{Text()}),
                       AnInput("also", ValueType::kNumber, std::monostate()),
                       AnInput("file", ValueType::kUriFile, AnArtifact("f", false)),
                       AnInput("web", ValueType::kUriFile, UriValue{"https://example.com/a"})},
                      {AnOutput("table")});
    step.inputs[1].optional = true;
    step.inputs[2].mode = Chance() ? Mode::kDownload : Mode::kDefault;
    step.inputs[3].mode = Mode::kDirect;
    step.inputs[0].description = MaybeText();
    if (Chance()) step.inputs[0].choices = {std::get<TextValue>(step.inputs[0].value).text, "b"};
    if (Chance()) step.outputs[0].type = ValueType::kUriFile;
    if (Chance()) step.outputs[0].path = "azureml://datastores/y/paths/z";
    if (Chance()) step.outputs[0].asset_name = "table";
    Settings(&step);
    return step;
  }

  Step Second() {
    Step step =
        AStep("train",
              "train",
              {ABinding("table", ValueType::kUriFolder, "${{parent.jobs.prepare.outputs.table}}"),
               ABinding("note", ValueType::kString, "lr is ${{parent.inputs.lr}} and"),
               ABinding("data", ValueType::kUriFolder, "${{parent.inputs.data}}")},
              {APromoted("model", "model")});
    if (Chance()) step.depends_on = {"prepare"};
    if (Chance()) step.outputs[0].mode = Mode::kUpload;
    Settings(&step);
    return step;
  }

  Step Decide(const std::string& name) {
    Step step = AStep(name,
                      "",
                      {AnInput(kConditionInput, ValueType::kBoolean, TextValue{"True"})},
                      {AnOutput(kTakenOutput)});
    step.outputs[0].type = ValueType::kBoolean;
    step.outputs[0].control = true;
    step.control = std::make_shared<const Control>(Control{Condition{}, {}});
    return step;
  }

  // What is said of a node that repeats another.
  void Around(const Step& body, Step* outer) {
    outer->display_name = Chance() ? "around" : body.display_name;
    outer->description = MaybeText();
    outer->deterministic = body.deterministic;
    if (Chance()) outer->tags = {{"t", Text()}};
  }

  Step Body() {
    Step body = AStep("",
                      "fit",
                      {ABinding("x", ValueType::kNumber, "${{parent.inputs.x}}")},
                      {APromoted("y", "y")});
    body.outputs[0].type = ValueType::kBoolean;
    if (Chance()) body.retry = {3, {"oom", "exit_code"}, {75}, 1.5, 2};
    Settings(&body);
    return body;
  }

  Step Repeated(const std::string& name, const std::variant<DoWhile, ParallelFor>& loop) {
    const Step body = Body();
    Step step =
        AStep(name, "", {AnInput("x", ValueType::kNumber, TextValue{"1"})}, {AnOutput("y")});
    step.outputs[0].type = ValueType::kBoolean;
    Around(body, &step);
    if (Chance()) step.compute = "small";
    if (Chance()) step.priority = 4;
    Control control{DoWhile{}, {body}};
    if (const auto* for_each = std::get_if<ParallelFor>(&loop)) {
      control.kind = *for_each;
      const char* items = Chance() ? R"([{"x":1},{"x":2.5}])" : R"({"a": {"x": "1e-3"}})";
      step.inputs.push_back(AnInput(kItemsInput, ValueType::kString, TextValue{items}));
      step.outputs[0].type = ValueType::kString;
    } else {
      auto again = std::get<DoWhile>(loop);
      if (Chance()) again.mapping = {{"y", {"x"}}};
      control.kind = again;
    }
    step.control = std::make_shared<const Control>(std::move(control));
    return step;
  }

  Step Tried() {
    const Step trial = Body();
    Step step =
        AStep("search", "", {AnInput("x", ValueType::kNumber, std::monostate())}, {AnOutput("y")});
    step.outputs[0].type = ValueType::kBoolean;
    Around(trial, &step);
    step.component = trial.component;
    step.component_version = trial.component_version;
    Sweep sweep;
    sweep.algorithm = "random";
    if (Chance()) sweep.seed = -5;
    if (Chance()) sweep.logbase = 2.5;
    sweep.primary_metric = "loss";
    sweep.maximize = Chance();
    sweep.max_total_trials = 4;
    if (Chance()) sweep.timeout_seconds = 77;
    sweep.space = {{"x", "uniform", {}, {{"min_value", 1e-7}, {"max_value", 12345678.5}}}};
    if (Chance()) sweep.space = {{"x", "choice", {"1", "1e-3"}, {}}};
    if (Chance()) sweep.early_termination = {"bandit", 0.1, 0, 0, false, 2, 1};
    step.control = std::make_shared<const Control>(Control{sweep, {trial}});
    return step;
  }

  // Some steps wait for others, and some stand in the block of a condition.
  void Order(std::vector<Step>* steps) {
    const bool is_decided =
        std::ranges::find(*steps, std::string("decide"), &Step::name) != steps->end();
    for (Step& step : *steps) {
      if (step.name == "prepare" || step.name == "decide") continue;
      if (Chance()) step.depends_on = {"prepare"};
      if (Chance()) step.when = Chance() ? "none_failed" : "failed(prepare) or skipped(prepare)";
      if (!is_decided || Chance()) continue;
      step.when = BothWhen(
          step.when, std::string("jobs.decide.outputs.taken == ") + (Chance() ? "true" : "false"));
    }
    if (is_decided) (*steps)[1].when = "jobs.decide.outputs.taken == true";
  }

  std::mt19937 random_;
};

TEST_F(JobFileTest, MadeUpPipelinesReadBackAsThemselves) {
  for (std::uint32_t seed = 0; seed < 300 && !HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    ExpectSame(Generator(seed).Spec());
  }
}

TEST_F(JobFileTest, AStandaloneJobReadsBackAsItself) {
  PipelineSpec spec;
  spec.is_pipeline = false;
  spec.display_name = "one step";
  spec.experiment_name = "x";
  spec.steps = {AStep("main",
                      "echo ${{inputs.a}}\necho more",
                      {AnInput("a", ValueType::kString, TextValue{"1"}),
                       AnInput("d", ValueType::kUriFolder, AnArtifact("d", true))},
                      {AnOutput("out")})};
  spec.steps[0].display_name = "one step";
  spec.steps[0].code = AnArtifact("code", true);
  spec.steps[0].timeout_seconds = 5;
  ExpectSame(spec);
}

TEST_F(JobFileTest, WritesLiteralsAndAmountsAsPeopleDo) {
  Step step = AStep("a",
                    "x",
                    {AnInput("n", ValueType::kInteger, TextValue{"7"}),
                     AnInput("r", ValueType::kNumber, TextValue{"0.5"}),
                     AnInput("e", ValueType::kNumber, TextValue{"1e-3"}),
                     AnInput("b", ValueType::kBoolean, TextValue{"True"}),
                     AnInput("s", ValueType::kString, TextValue{"7"})});
  step.resources.memory_bytes = std::int64_t{3} << 29;
  PipelineSpec spec = APipeline({}, {}, {step});
  spec.settings.retention_seconds = 36 * 3600;
  spec.settings.max_running_steps = 3;
  ExpectSame(spec);
  const std::string yaml = *JobFile(spec);
  for (const char* line : {"value: 7\n", "value: 0.5\n", "value: true\n", "value: \"7\"\n"}) {
    EXPECT_THAT(yaml, HasSubstr(line));
  }
  EXPECT_THAT(yaml, HasSubstr("memory: \"1536MiB\"\n"));
  EXPECT_THAT(yaml, HasSubstr("retention: \"36h\"\n"));
}

TEST_F(JobFileTest, WritesCommandsOfSeveralLinesAsPeopleDo) {
  const PipelineSpec spec = APipeline({}, {}, {AStep("a", "set -e\nif true; then\n  ls\nfi\n")});
  EXPECT_THAT(*JobFile(spec),
              HasSubstr("    command: |\n"
                        "      set -e\n"
                        "      if true; then\n"
                        "        ls\n"
                        "      fi\n"));
}

}  // namespace
}  // namespace potok::client
