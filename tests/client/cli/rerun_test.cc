// What the commands for runs that were ask for and show, as values.
#include "client/cli/show/rerun.h"

#include <map>
#include <memory>

#include "client/cli/again.h"
#include "client/cli/folder_diff.h"
#include "client/cli/show/lineage_text.h"
#include "client/cli/show/run_diff.h"
#include "client/cli/show/update_request.h"
#include "client/cli/text/value.h"
#include "common/cas/folder.h"
#include "common/pipeline/control.h"
#include "common/rpc/pipeline_convert.h"
#include "gmock/gmock.h"
#include "tests/common/pipeline/spec_builder.h"

namespace potok::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// prepare, then train and look side by side, then report of train; apart from them clean.
PipelineSpec AGraph() {
  PipelineSpec spec = APipeline(
      {},
      {},
      {AStep("prepare", "x", {}, {AnOutput("table")}),
       AStep("train",
             "x",
             {ABinding("t", ValueType::kUriFolder, "${{parent.jobs.prepare.outputs.table}}")},
             {AnOutput("model")}),
       AStep("look",
             "x",
             {ABinding("t", ValueType::kUriFolder, "${{parent.jobs.prepare.outputs.table}}")}),
       AStep("report", "x"),
       AStep("clean", "x")});
  spec.steps[3].depends_on = {"train"};
  spec.settings.force_rerun = true;
  return spec;
}

std::vector<std::string> Unread(const PipelineSpec& spec) {
  std::vector<std::string> names;
  for (const Step& step : spec.steps) {
    if (!step.reuse.read) names.push_back(step.name);
  }
  return names;
}

v1::Run AFailedRun() {
  v1::Run run;
  run.set_name("brave_river");
  run.set_status(v1::STATUS_FAILED);
  return run;
}

TEST(PrepareRerunTest, FromAStepForbidsItAndWhatComesAfterItToRead) {
  PipelineSpec spec = AGraph();
  ASSERT_TRUE(PrepareRerun(RerunKind::kFrom, "train", AFailedRun(), &spec).ok());
  EXPECT_THAT(Unread(spec), ElementsAre("train", "report"));
  EXPECT_FALSE(spec.settings.force_rerun);
  spec.steps[4].when = "jobs.prepare.status == 'Failed'";
  ASSERT_TRUE(PrepareRerun(RerunKind::kFrom, "prepare", AFailedRun(), &spec).ok());
  EXPECT_THAT(Unread(spec), ElementsAre("prepare", "train", "look", "report", "clean"));
}

TEST(PrepareRerunTest, OfFailedOnesLetsReadWhoMayAndAllForcesAll) {
  PipelineSpec spec = AGraph();
  spec.steps[0].reuse.read = false;
  ASSERT_TRUE(PrepareRerun(RerunKind::kFailed, "", AFailedRun(), &spec).ok());
  EXPECT_THAT(Unread(spec), ElementsAre("prepare")) << "reuse: {read: false} is the user's";
  EXPECT_FALSE(spec.settings.force_rerun);
  ASSERT_TRUE(PrepareRerun(RerunKind::kAll, "", AFailedRun(), &spec).ok());
  EXPECT_TRUE(spec.settings.force_rerun);
}

Step ALoop(const std::string& name, std::vector<Step> body) {
  Step loop = AStep(name, "");
  loop.control = std::make_shared<const Control>(Control{ParallelFor{}, std::move(body)});
  return loop;
}

TEST(PrepareRerunTest, FromALoopForbidsWhatItMakesToRead) {
  // A rerun of a loop took the results of all its items.
  PipelineSpec spec = APipeline({}, {}, {ALoop("folds", {ALoop("", {AStep("", "x")})})});
  ASSERT_TRUE(PrepareRerun(RerunKind::kFrom, "folds", AFailedRun(), &spec).ok());
  const Step& inner = spec.steps[0].control->body[0];
  EXPECT_FALSE(inner.reuse.read);
  EXPECT_FALSE(inner.control->body[0].reuse.read);
  const absl::Status made = PrepareRerun(RerunKind::kFrom, "folds[1]", AFailedRun(), &spec);
  EXPECT_EQ(made.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(made.message()), HasSubstr("--from folds runs"));
}

TEST(PrepareRerunTest, FromANestedPipelineIsFromAllItsSteps) {
  PipelineSpec spec = APipeline(
      {},
      {},
      {AStep("train/a", "x"), AStep("train/b", "x"), AStep("trainer", "x"), AStep("c", "x")});
  spec.steps[3].finalizes = true;
  ASSERT_TRUE(PrepareRerun(RerunKind::kFrom, "train", AFailedRun(), &spec).ok());
  EXPECT_THAT(Unread(spec), ElementsAre("train/a", "train/b", "c")) << "c ends the run";
}

TEST(PrepareRerunTest, NamesTheStepsThatThereAreIfNoneIsNear) {
  PipelineSpec spec = AGraph();
  const absl::Status unknown = PrepareRerun(RerunKind::kFrom, "nothing", AFailedRun(), &spec);
  EXPECT_THAT(std::string(unknown.message()),
              HasSubstr("it has prepare, train, look, report, clean"));
  for (int i = 0; i < 30; ++i) spec.steps.push_back(AStep("s" + std::to_string(i), "x"));
  EXPECT_THAT(std::string(PrepareRerun(RerunKind::kFrom, "nothing", AFailedRun(), &spec).message()),
              HasSubstr("s14, ..."));
}

TEST(PrepareRerunTest, TakesNoStepForOneWhoseNameIsAPartOfIt) {
  PipelineSpec spec =
      APipeline({}, {}, {AStep("fit", "x"), AStep("fit_all", "x"), AStep("c", "x")});
  spec.steps[2].when = "failed(fit_all)";
  ASSERT_TRUE(PrepareRerun(RerunKind::kFrom, "fit", AFailedRun(), &spec).ok());
  EXPECT_THAT(Unread(spec), ElementsAre("fit"));
}

TEST(SpecOfRunTest, ForgetsWhatARerunRanAnewAndKeepsWhatTheUserForbade) {
  PipelineSpec spec = AGraph();
  spec.steps[0].reuse.read = false;
  v1::Run run = AFailedRun();
  *run.mutable_spec() = potok::ToProto(spec);
  const absl::StatusOr<PipelineSpec> cloned = SpecOfRun(run, kClonedFrom);
  ASSERT_TRUE(cloned.ok()) << cloned.status();
  EXPECT_THAT(Unread(*cloned), ElementsAre("prepare"));
  EXPECT_TRUE(cloned->settings.force_rerun);
  (*run.mutable_properties())[kRerunOf] = "calm_sea";
  const absl::StatusOr<PipelineSpec> of_rerun = SpecOfRun(run, kClonedFrom);
  ASSERT_TRUE(of_rerun.ok()) << of_rerun.status();
  EXPECT_THAT(Unread(*of_rerun), IsEmpty());
  EXPECT_FALSE(of_rerun->settings.force_rerun);
  EXPECT_EQ(of_rerun->properties.at(kClonedFrom), "brave_river");
}

TEST(PrepareRerunTest, RefusesWhatCannotBe) {
  PipelineSpec spec = AGraph();
  const absl::Status unknown = PrepareRerun(RerunKind::kFrom, "trian", AFailedRun(), &spec);
  EXPECT_EQ(unknown.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(unknown.message()), HasSubstr("did you mean 'train'?"));
  v1::Run run = AFailedRun();
  run.set_status(v1::STATUS_RUNNING);
  EXPECT_EQ(PrepareRerun(RerunKind::kFailed, "", run, &spec).code(),
            absl::StatusCode::kFailedPrecondition);
  run.set_status(v1::STATUS_COMPLETED);
  EXPECT_EQ(PrepareRerun(RerunKind::kFailed, "", run, &spec).code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(UpdateRequestTest, ReadsAzuresAssignments) {
  Assignments words;
  words.set = {"display_name=a=b", "tags.team=vision", "tags.a.b=c", "experiment_name="};
  words.add = {"properties.k=v"};
  words.remove = {"tags.old", "properties.gone", "description"};
  const auto request = UpdateRequest("brave_river", words);
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->display_name(), "a=b");
  EXPECT_TRUE(request->has_experiment_name());
  EXPECT_TRUE(request->has_description());
  EXPECT_EQ(request->set_tags().at("team"), "vision");
  EXPECT_EQ(request->set_tags().at("a.b"), "c");
  EXPECT_EQ(request->set_properties().at("k"), "v");
  EXPECT_EQ(request->remove_tags(0), "old");
  EXPECT_EQ(request->remove_properties(0), "gone");
}

TEST(UpdateRequestTest, RefusesWhatCannotBeChanged) {
  const auto refused = [](const Assignments& words) {
    return std::string(UpdateRequest("r", words).status().message());
  };
  EXPECT_THAT(refused({}), HasSubstr("--set tags.team=vision"));
  EXPECT_THAT(refused({{"status=Failed"}, {}, {}}), HasSubstr("of a run one can change"));
  EXPECT_THAT(refused({{"tags=x"}, {}, {}}), HasSubstr("tags.NAME"));
  EXPECT_THAT(refused({{"tags.x"}, {}, {}}), HasSubstr("PATH=VALUE"));
  EXPECT_THAT(refused({{}, {"display_name=x"}, {}}), HasSubstr("of a run one can change"));
  EXPECT_THAT(refused({{}, {}, {"display_name"}}), HasSubstr("can be removed"));
}

TEST(LineageSubjectTest, ReadsOutputsAndArtifacts) {
  EXPECT_EQ(ParseLineageSubject("run/train/model")->output().step(), "train");
  EXPECT_EQ(ParseLineageSubject("run/train/fit/model")->output().step(), "train/fit");
  EXPECT_EQ(ParseLineageSubject("run/best")->output().step(), "");
  EXPECT_EQ(ParseLineageSubject("run/best")->output().output(), "best");
  const std::string address = DigestOf("x").Hex() + "/1";
  EXPECT_EQ(ParseLineageSubject("sha256:" + address)->artifact().hash(), DigestOf("x").Hex());
  EXPECT_EQ(ParseLineageSubject("potok-artifact:" + address)->artifact().size_bytes(), 1);
  for (const char* wrong : {"", "model.pkl", "/model", "run/", "sha256:abc/1"}) {
    EXPECT_EQ(ParseLineageSubject(wrong).status().code(), absl::StatusCode::kInvalidArgument)
        << wrong;
  }
}

TEST(LineageTextTest, ShowsTheWayBackAsATree) {
  v1::LineageResponse lineage;
  *lineage.mutable_artifact()->mutable_digest() = potok::ToProto(DigestOf("x"));
  const auto add = [&](int depth, v1::LineageNode::Kind kind, const std::string& port) {
    v1::LineageNode* node = lineage.add_origins();
    node->set_depth(depth);
    node->set_kind(kind);
    node->set_port(port);
    return node;
  };
  v1::LineageNode* train = add(0, v1::LineageNode::KIND_STEP, "");
  train->set_run("r");
  train->set_step("train");
  train->set_output("model");
  add(1, v1::LineageNode::KIND_VALUE, "lr")->set_text("0.1");
  const std::string text = LineageText(lineage, absl::UTCTimeZone());
  EXPECT_THAT(text, HasSubstr("Goes back to\nr/train/model\n  lr: 0.1\n"));
  EXPECT_THAT(text, HasSubstr("Used by\n  nothing that is known\n"));
}

// Runs that differ in a value, an output and a step.
class RunDiffTest : public testing::Test {
 protected:
  static v1::Run ARun(const std::string& name, const std::string& rate, const std::string& model) {
    v1::Run run;
    run.set_name(name);
    run.set_status(v1::STATUS_COMPLETED);
    PipelineSpec spec = APipeline(
        {ABinding("lr", ValueType::kNumber, rate)}, {}, {AStep("train", "train " + rate)});
    spec.steps[0].code = Artifact{DigestOf("code"), true, 0, ""};
    *run.mutable_spec() = potok::ToProto(spec);
    v1::StepStatus& step = *run.add_steps();
    step.set_name("train");
    step.set_status(v1::STATUS_COMPLETED);
    step.set_started_us(1'000'000);
    step.set_ended_us(3'500'000);
    v1::OutputValue& output = *step.add_outputs();
    output.set_name("model");
    *output.mutable_artifact() = potok::ToProto(Artifact{DigestOf(model), true, 0, ""});
    return run;
  }
};

std::vector<std::string> Fields(const std::vector<Difference>& differences) {
  std::vector<std::string> fields;
  for (const Difference& difference : differences) {
    fields.push_back(difference.field + ": " + difference.a + " | " + difference.b);
  }
  return fields;
}

TEST_F(RunDiffTest, ARunIsTheSameAsItself) {
  const v1::Run run = ARun("a", "0.1", "m");
  const RunDifference difference = Diff(run, ARun("b", "0.1", "m"), nullptr);
  EXPECT_TRUE(difference.IsSame());
  EXPECT_THAT(DiffText(run, run, difference), HasSubstr("do not differ"));
  EXPECT_EQ(difference.steps[0].seconds_a, 2.5);
}

TEST_F(RunDiffTest, TellsFieldsOutputsAndTheirFiles) {
  const v1::Run a = ARun("a", "0.1", "m");
  const v1::Run b = ARun("b", "0.2", "n");
  const RunDifference difference =
      Diff(a, b, [](const v1::Artifact&, const v1::Artifact&) -> std::vector<Difference> {
        return {{"weights.bin", "1", "2"}};
      });
  EXPECT_THAT(Fields(difference.definition), ElementsAre("inputs.lr.value: 0.1 | 0.2"));
  EXPECT_THAT(Fields(difference.steps[0].definition),
              ElementsAre("command: train 0.1 | train 0.2"));
  EXPECT_THAT(Fields(difference.steps[0].outputs),
              ElementsAre(HasSubstr("model: sha256:"), "model/weights.bin: 1 | 2"));
  EXPECT_FALSE(difference.IsSame());
  const std::string json = ToJson(DiffObject(a, b, difference));
  EXPECT_THAT(json, HasSubstr("\"same\": false"));
  EXPECT_THAT(DiffText(a, b, difference), Not(HasSubstr("code")));
}

TEST_F(RunDiffTest, TellsMetricsThatDiffer) {
  const v1::Run run = ARun("a", "0.1", "m");
  RunDifference difference = Diff(run, run, nullptr);
  AddMetrics({{"train", {{"metrics.loss", "1"}, {"params.lr", "3"}}}},
             {{"train", {{"metrics.loss", "2"}, {"params.lr", "3"}}}, {"other", {{"m", "1"}}}},
             &difference);
  EXPECT_THAT(Fields(difference.steps[0].metrics), ElementsAre("metrics.loss: 1 | 2"));
  EXPECT_TRUE(difference.IsSame());
}

TEST_F(RunDiffTest, TellsStepsThatOnlyOneHas) {
  const v1::Run a = ARun("a", "0.1", "m");
  v1::Run b = ARun("b", "0.1", "m");
  b.mutable_spec()->mutable_steps(0)->set_name("fit");
  b.mutable_steps(0)->set_name("fit");
  b.mutable_steps(0)->set_status(v1::STATUS_FAILED);
  const RunDifference difference = Diff(a, b, nullptr);
  ASSERT_EQ(difference.steps.size(), 2U);
  EXPECT_EQ(difference.steps[0].in, StepDifference::In::kOnlyA);
  EXPECT_EQ(difference.steps[1].in, StepDifference::In::kOnlyB);
  EXPECT_FALSE(difference.IsSame());
}

TEST(DiffFoldersTest, TellsFilesThatDifferBelowFoldersThatDo) {
  std::map<Digest, std::string> store;
  const auto put = [&](const Folder& folder) {
    const std::string bytes = EncodeFolder(folder);
    store[DigestOf(bytes)] = bytes;
    return DigestOf(bytes);
  };
  Folder same;
  same.files = {{"x", DigestOf("x"), false}};
  const Digest kept = put(same);
  Folder deep_a = same;
  Folder deep_b = same;
  deep_b.files[0].is_executable = true;
  Folder a;
  a.files = {{"gone", DigestOf("1"), false}, {"same", DigestOf("2"), false}};
  a.folders = {{"deep", put(deep_a)}, {"kept", kept}, {"turned", kept}};
  Folder b;
  b.files = {{"new", DigestOf("1"), false}, {"same", DigestOf("2"), false}};
  b.folders = {{"deep", put(deep_b)}, {"kept", kept}};
  b.links = {{"turned", "same"}};
  int reads = 0;
  const auto read = [&](const Digest& digest) -> absl::StatusOr<std::string> {
    ++reads;
    return store.at(digest);
  };
  const auto differences = DiffFolders(put(a), put(b), read);
  ASSERT_TRUE(differences.ok()) << differences.status();
  EXPECT_THAT(Fields(*differences),
              ElementsAre(HasSubstr("deep/x: sha256:"),
                          HasSubstr("gone: sha256:"),
                          "turned: folder | link to same",
                          HasSubstr("new:  | sha256:")));
  EXPECT_THAT(differences->front().b, HasSubstr("executable"));
  EXPECT_EQ(reads, 4);  // the folders that are equal are not looked at
}

}  // namespace
}  // namespace potok::client
