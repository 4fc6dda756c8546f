// Runs of two steps, the second run fed with what the first made.
#include "server/rpc/lineage.h"

#include "common/rpc/pipeline_convert.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "tests/common/pipeline/spec_builder.h"
#include "tests/server/store/changes.h"
#include "tests/support/fake_store.h"

namespace potok::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Artifact AnArtifact(const std::string& content) {
  Artifact artifact;
  artifact.digest = DigestOf(content);
  artifact.is_folder = true;
  return artifact;
}

class LineageTest : public testing::Test {
 protected:
  // A run of prepare and train: `data` goes in, `table` is made of it, and `model` of that.
  void AddRun(RunId id, const Binding& data) {
    Step prepare =
        AStep("prepare", "x", {AnInput("raw", ValueType::kUriFolder, data)}, {AnOutput("table")});
    prepare.code = AnArtifact("code of prepare");
    const PipelineSpec spec = APipeline(
        {},
        {AnOutput("best")},
        {prepare,
         AStep("train",
               "x",
               {ABinding("table", ValueType::kUriFolder, "${{parent.jobs.prepare.outputs.table}}"),
                ABinding("rate", ValueType::kNumber, "0.1")},
               {APromoted("model", "best")})});
    auto plan = RebuildPlan(spec);
    ASSERT_TRUE(plan.ok()) << plan.status();
    plans_[id] = *plan;
    Turn({ARun(id, 2)});
  }

  void Complete(RunId id,
                std::uint32_t index,
                const std::string& output,
                const std::string& bytes) {
    Turn({Move(id, index, 1, Succeeded{1, {{output, AnArtifact(bytes)}}}, 30)});
  }

  void Turn(std::vector<Change> changes) {
    Batch batch = {++revision_, "us", std::move(changes)};
    ASSERT_TRUE(bundle_.store->Commit(batch, {}).ok());
    bundle_.projector->Project(std::move(batch));
  }

  // The run `id`, completed.
  void AddCompleted(RunId id,
                    const Binding& data,
                    const std::string& table,
                    const std::string& model) {
    AddRun(id, data);
    Complete(id, 0, "table", table);
    Complete(id, 1, "model", model);
    Turn({MoveRun(id, RunStatus::kCompleted, 40)});
  }

  absl::StatusOr<v1::LineageResponse> Ask(const v1::LineageRequest& request) {
    Lineage lineage(*bundle_.reader,
                    [this](const RunRow& row) -> absl::StatusOr<std::shared_ptr<const Plan>> {
                      const auto plan = plans_.find(row.added.id);
                      if (plan == plans_.end()) return absl::DataLossError("no plan");
                      return plan->second;
                    });
    return lineage.Of(request);
  }

  v1::LineageResponse AskAbout(const std::string& run,
                               const std::string& step,
                               const std::string& output) {
    v1::LineageRequest request;
    request.mutable_output()->set_run(run);
    request.mutable_output()->set_step(step);
    request.mutable_output()->set_output(output);
    const auto answer = Ask(request);
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.ok() ? *answer : v1::LineageResponse();
  }

  v1::LineageRequest About(const std::string& content, int limit = 0) {
    v1::LineageRequest request;
    *request.mutable_artifact() = potok::ToProto(DigestOf(content));
    request.set_limit(limit);
    return request;
  }

  FakeDatabase database_;
  StoreBundle bundle_ = database_.Open();
  std::map<RunId, std::shared_ptr<const Plan>> plans_;
  std::int64_t revision_ = 0;
};

std::vector<std::string> Texts(const google::protobuf::RepeatedPtrField<v1::ArtifactUse>& uses) {
  std::vector<std::string> texts;
  for (const v1::ArtifactUse& use : uses) {
    texts.push_back(fmt::format("{}/{}/{}", use.run(), use.step(), use.port()));
  }
  return texts;
}

// "1 table <- run-1/prepare.table": depth, input, and what it is.
std::vector<std::string> Texts(const google::protobuf::RepeatedPtrField<v1::LineageNode>& nodes) {
  std::vector<std::string> texts;
  for (const v1::LineageNode& node : nodes) {
    const std::string of = node.step().empty()
                               ? v1::LineageNode::Kind_Name(node.kind()) + node.text()
                               : node.run() + "/" + node.step() + "." + node.output();
    const bool is_seen = node.kind() == v1::LineageNode::KIND_SEEN;
    texts.push_back(
        fmt::format("{} {} <- {}{}", node.depth(), node.port(), of, is_seen ? " again" : ""));
  }
  return texts;
}

TEST_F(LineageTest, GoesBackOverRunsToDataAndCode) {
  AddCompleted(1, AnArtifact("raw"), "table", "model");
  AddCompleted(2, AnArtifact("model"), "table 2", "model 2");
  const v1::LineageResponse answer = AskAbout("run-2", "train", "model");
  EXPECT_EQ(answer.artifact().digest().hash(), DigestOf("model 2").Hex());
  EXPECT_THAT(Texts(answer.made_by()), ElementsAre("run-2/train/model"));
  EXPECT_THAT(Texts(answer.used_by()), IsEmpty());
  EXPECT_THAT(Texts(answer.origins()),
              ElementsAre("0  <- run-2/train.model",
                          "1 table <- run-2/prepare.table",
                          "2 code <- KIND_CODE",
                          "2 raw <- run-1/train.model",
                          "3 table <- run-1/prepare.table",
                          "4 code <- KIND_CODE",
                          "4 raw <- KIND_DATA",
                          "3 rate <- KIND_VALUE0.1",
                          "1 rate <- KIND_VALUE0.1"));
}

TEST_F(LineageTest, TellsWhoUsedAnArtifactWithinARunAndInLaterOnes) {
  AddCompleted(1, AnArtifact("raw"), "table", "model");
  AddCompleted(2, AnArtifact("model"), "table 2", "model 2");
  EXPECT_THAT(Texts(Ask(About("table"))->used_by()), ElementsAre("run-1/train/table"));
  EXPECT_THAT(Texts(Ask(About("model"))->used_by()), ElementsAre("run-2/prepare/raw"));
  EXPECT_THAT(Texts(Ask(About("code of prepare"))->used_by()),
              ElementsAre("run-2/prepare/code", "run-1/prepare/code"));
  EXPECT_THAT(Texts(AskAbout("run-1", "", "best").used_by()), ElementsAre("run-2/prepare/raw"));
}

TEST_F(LineageTest, LooksAtRunsThatHaveNotEnded) {
  AddCompleted(1, AnArtifact("raw"), "table", "model");
  AddRun(2, AnArtifact("model"));
  EXPECT_THAT(Texts(Ask(About("model"))->used_by()), IsEmpty());  // not begun
  Complete(2, 0, "table", "table");
  EXPECT_THAT(Texts(Ask(About("model"))->used_by()), ElementsAre("run-2/prepare/raw"));
  EXPECT_THAT(Texts(Ask(About("table"))->made_by()),
              ElementsAre("run-2/prepare/table", "run-1/prepare/table"));
  Turn({MoveRun(2, RunStatus::kFailed, 50)});
  EXPECT_THAT(Texts(Ask(About("table"))->made_by()),
              ElementsAre("run-2/prepare/table", "run-1/prepare/table"));
}

TEST_F(LineageTest, AnswersPageByPage) {
  for (RunId id = 1; id <= 5; ++id) AddCompleted(id, AnArtifact("raw"), "table", "model");
  std::vector<std::string> all;
  v1::LineageRequest request = About("raw", 2);
  do {
    const auto page = Ask(request);
    ASSERT_TRUE(page.ok()) << page.status();
    EXPECT_LE(page->used_by_size(), 2);
    for (const std::string& text : Texts(page->used_by())) all.push_back(text);
    request.set_before_run(page->next_before_run());
  } while (request.before_run() != 0 && all.size() < 20);
  EXPECT_THAT(all,
              ElementsAre("run-5/prepare/raw",
                          "run-4/prepare/raw",
                          "run-3/prepare/raw",
                          "run-2/prepare/raw",
                          "run-1/prepare/raw"));
}

TEST_F(LineageTest, SaysWhatIsNotThere) {
  AddRun(1, AnArtifact("raw"));
  const auto ask = [&](const std::string& run, const std::string& step, const std::string& output) {
    v1::LineageRequest request;
    request.mutable_output()->set_run(run);
    request.mutable_output()->set_step(step);
    request.mutable_output()->set_output(output);
    return Ask(request).status();
  };
  EXPECT_EQ(ask("run-9", "train", "model").code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(ask("run-1", "trian", "model").message()), HasSubstr("prepare, train"));
  EXPECT_EQ(ask("run-1", "train", "nothing").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ask("run-1", "", "nothing").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ask("run-1", "train", "model").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Ask({}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Ask(About("raw", -1)).status().code(), absl::StatusCode::kInvalidArgument);
  const auto unknown = Ask(About("never seen"));
  ASSERT_TRUE(unknown.ok());
  EXPECT_THAT(Texts(unknown->made_by()), IsEmpty());
}

TEST_F(LineageTest, ARunThatCannotBeReadStandsInNobodysWay) {
  AddCompleted(1, AnArtifact("raw"), "table", "model");
  plans_.clear();
  AddCompleted(2, AnArtifact("raw"), "table", "model");
  EXPECT_THAT(Texts(Ask(About("raw"))->used_by()), ElementsAre("run-2/prepare/raw"));
}

}  // namespace
}  // namespace potok::server
