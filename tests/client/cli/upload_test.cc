#include "client/potok_client/upload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace potok::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class UploadTest : public testing::Test {
 protected:
  void SetUp() override {
    char folder[] = "/tmp/potok-upload-XXXXXX";
    ASSERT_NE(mkdtemp(folder), nullptr);
    folder_ = folder;
    std::filesystem::create_directory(folder_ + "/data");
    Write("data/a.csv", "1");
    Write("shared.py", "x = 1");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name) << text;
  }

  absl::Status Upload(PipelineSpec* spec) {
    return UploadLocal(spec, [this](const std::string& path, const Snapshot& snapshot) {
      stored_.push_back(std::filesystem::path(path).filename().string());
      files_.push_back(snapshot.file_count);
      return result_;
    });
  }

  Input LocalInput(const std::string& name) const {
    Input input;
    input.name = "i";
    input.value = LocalPath{folder_ + "/" + name};
    return input;
  }

  std::string folder_;
  std::vector<std::string> stored_;
  std::vector<std::int64_t> files_;
  absl::Status result_;
};

TEST_F(UploadTest, StoresWhatSeveralStepsNameOnce) {
  PipelineSpec spec;
  spec.inputs = {LocalInput("data")};
  spec.steps.resize(2);
  for (Step& step : spec.steps) {
    step.inputs = {LocalInput("data"), LocalInput("data/a.csv")};
    step.code = LocalCode{folder_ + "/data", {}};
  }
  ASSERT_TRUE(Upload(&spec).ok());
  EXPECT_THAT(stored_, ElementsAre("data", "a.csv", "data"));
  const Artifact& folder = std::get<Artifact>(spec.inputs[0].value);
  EXPECT_TRUE(folder.is_folder);
  EXPECT_EQ(std::get<Artifact>(spec.steps[1].inputs[0].value), folder);
  const Artifact& file = std::get<Artifact>(spec.steps[1].inputs[1].value);
  EXPECT_FALSE(file.is_folder);
  EXPECT_EQ(file.file_name, "a.csv");
  EXPECT_EQ(std::get<Artifact>(spec.steps[1].code).digest, folder.digest);
}

TEST_F(UploadTest, LeavesIgnoredFilesOutOfCodeAndMergesIncludes) {
  Write("data/.amlignore", "*.csv\n.amlignore\n");
  Write("data/train.py", "y = 2");
  PipelineSpec spec;
  spec.steps.resize(1);
  spec.steps[0].code = LocalCode{folder_ + "/data", {folder_ + "/shared.py"}};
  ASSERT_TRUE(Upload(&spec).ok());
  EXPECT_THAT(files_, ElementsAre(2));
}

TEST_F(UploadTest, TakesASingleFileAsAFolderOfCode) {
  PipelineSpec spec;
  spec.steps.resize(1);
  spec.steps[0].code = LocalCode{folder_ + "/shared.py", {}};
  ASSERT_TRUE(Upload(&spec).ok());
  EXPECT_TRUE(std::get<Artifact>(spec.steps[0].code).is_folder);
  EXPECT_THAT(files_, ElementsAre(1));
}

TEST_F(UploadTest, LeavesTextsAndUrisAsTheyAre) {
  PipelineSpec spec;
  spec.inputs.resize(2);
  spec.inputs[0].value = TextValue{"3"};
  spec.inputs[1].value = UriValue{"https://example.org/x"};
  ASSERT_TRUE(Upload(&spec).ok());
  EXPECT_EQ(spec.inputs[0].value, Binding(TextValue{"3"}));
  EXPECT_TRUE(stored_.empty());
}

TEST_F(UploadTest, NamesThePathThatCouldNotBeUploaded) {
  PipelineSpec spec;
  spec.inputs = {LocalInput("missing")};
  EXPECT_THAT(Upload(&spec).ToString(), HasSubstr("cannot upload " + folder_ + "/missing"));
  spec.inputs = {LocalInput("data")};
  result_ = absl::UnavailableError("no line");
  const absl::Status status = Upload(&spec);
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(status.ToString(), HasSubstr("/data: no line"));
}

}  // namespace
}  // namespace potok::client
