// Files of a step on their way in and out, over a real store and disk.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "agent/artifacts/collect_outputs.h"
#include "agent/artifacts/keep_outputs.h"
#include "agent/artifacts/stage_inputs.h"
#include "agent/artifacts/step_folders.h"
#include "common/cas/tree.h"
#include "tests/agent/domain/builders.h"
#include "tests/common/cas/cas_server.h"

namespace potok::agent {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::SizeIs;

std::string ContentOf(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}

class StagingTest : public ::testing::Test {
 protected:
  StagingTest() : paths_(folder_ + "/attempt") { fs::create_directories(paths_.folder); }
  ~StagingTest() override { RemoveFolder(folder_); }

  static std::string MakeFolder() {
    std::string name = fs::temp_directory_path() / "potok-staging-XXXXXX";
    POTOK_CHECK(mkdtemp(name.data()) != nullptr);
    return name;
  }
  void Write(const std::string& path, const std::string& content) {
    fs::create_directories(fs::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << content;
  }
  // A folder or file of the store.
  Artifact Stored(const Snapshot& snapshot) {
    POTOK_CHECK(PutSnapshot(*store_, snapshot).ok());
    return snapshot.artifact;
  }
  Artifact StoredFolder(const std::map<std::string, std::string>& files) {
    const std::string source = folder_ + "/source-" + std::to_string(++sources_);
    fs::create_directories(source);
    for (const auto& [name, content] : files) Write(source + "/" + name, content);
    return Stored(*SnapshotFolder(source, {}));
  }
  AttemptInput Input(const std::string& name, const Artifact& artifact, Mode mode) {
    return {name, ValueType::kUriFolder, mode, artifact};
  }
  absl::Status Stage() {
    const absl::StatusOr<StagedBytes> staged = StageInputs(order_, paths_, client_, cache_.get());
    if (staged.ok()) staged_ = *staged;
    return staged.status();
  }
  absl::StatusOr<CollectedOutputs> Collect() { return CollectOutputs(order_, paths_); }
  absl::Status Ready() { return MakeStepFolders(order_, paths_); }

  const std::string folder_ = MakeFolder();
  const std::unique_ptr<BlobStore> store_ = *BlobStore::Open({folder_ + "/store", false, 0});
  const std::unique_ptr<BlobStore> cache_ = *BlobStore::Open({folder_ + "/cache", false, 0});
  CasServer server_{*store_, folder_ + "/cas.sock"};
  CasClient client_{ChannelTo(server_.address())};
  AttemptPaths paths_;
  AttemptOrder order_ = AnOrder();
  StagedBytes staged_;
  int sources_ = 0;
};

TEST_F(StagingTest, MakesTheCodeTheWorkingDirectory) {
  order_.code = StoredFolder({{"train.py", "print()"}, {"lib/util.py", ""}});
  ASSERT_TRUE(Stage().ok());
  EXPECT_EQ(ContentOf(paths_.work() + "/train.py"), "print()");
  EXPECT_TRUE(fs::is_directory(paths_.work() + "/outputs"));
  EXPECT_TRUE(fs::is_directory(paths_.work() + "/logs"));
  Write(paths_.work() + "/train.py", "the copy is private");
  EXPECT_EQ(ContentOf(paths_.work() + "/train.py"), "the copy is private");
}

TEST_F(StagingTest, LinksInputsReadOnlyAndCopiesThoseToBeDownloaded) {
  const Artifact data = StoredFolder({{"a.csv", "1,2\n"}});
  order_.inputs = {Input("mounted", data, Mode::kRoMount), Input("copied", data, Mode::kDownload)};
  ASSERT_TRUE(Stage().ok());
  const std::string mounted = paths_.inputs() + "/mounted/a.csv";
  const std::string copied = paths_.inputs() + "/copied/a.csv";
  EXPECT_EQ(ContentOf(mounted), "1,2\n");
  EXPECT_EQ(fs::status(mounted).permissions() & fs::perms::owner_write, fs::perms::none);
  EXPECT_NE(fs::status(copied).permissions() & fs::perms::owner_write, fs::perms::none);
  EXPECT_EQ(fs::hard_link_count(copied), 1U);
}

TEST_F(StagingTest, CountsWhatWasFetchedAndWhatWasFound) {
  const Artifact data = StoredFolder({{"a.csv", "1,2\n"}, {"b.csv", "345"}});
  order_.inputs = {Input("data", data, Mode::kRoMount)};
  ASSERT_TRUE(Stage().ok());
  EXPECT_EQ(staged_, (StagedBytes{.fetched = 7, .found = 0}));
  order_.inputs.push_back(
      Input("more", StoredFolder({{"a.csv", "1,2\n"}, {"c.csv", "67890"}}), Mode::kDownload));
  ASSERT_TRUE(Stage().ok());
  EXPECT_EQ(staged_, (StagedBytes{.fetched = 5, .found = 11}));
}

TEST_F(StagingTest, LargeOutputsStayInTheCacheForTheNextStep) {
  order_.outputs = {AnOutput("model", ValueType::kUriFolder)};
  ASSERT_TRUE(Ready().ok());
  const std::string model = paths_.OutputPath(order_.outputs[0]);
  Write(model + "/weights", std::string(std::size_t{1} << 20, 'w'));
  Write(model + "/sub/config", "{}");
  const auto made = Collect();
  ASSERT_TRUE(made.ok()) << made.status();
  ASSERT_TRUE(client_.Upload(made->blobs).ok());
  KeepOutputs(order_.key, *made, *cache_);
  order_.inputs = {Input("model", std::get<Artifact>(made->values.at(0).value), Mode::kRoMount)};
  ASSERT_TRUE(Stage().ok());
  EXPECT_EQ(staged_, (StagedBytes{.fetched = 0, .found = (1 << 20) + 2}));
  EXPECT_EQ(ContentOf(paths_.inputs() + "/model/sub/config"), "{}");
}

TEST_F(StagingTest, SmallOutputsAreNotKept) {
  order_.outputs = {AnOutput("model", ValueType::kUriFolder)};
  ASSERT_TRUE(Ready().ok());
  Write(paths_.OutputPath(order_.outputs[0]) + "/config", "{}");
  const auto made = Collect();
  ASSERT_TRUE(made.ok()) << made.status();
  KeepOutputs(order_.key, *made, *cache_);
  EXPECT_FALSE(cache_->Contains(DigestOf("{}")));
}

TEST_F(StagingTest, KeepsTheNameOfAFile) {
  Write(folder_ + "/prices.csv", "3\n");
  const Artifact file = Stored(*SnapshotFile(folder_ + "/prices.csv"));
  order_.inputs = {{"table", ValueType::kUriFile, Mode::kDefault, file}};
  ASSERT_TRUE(Stage().ok());
  EXPECT_EQ(ContentOf(paths_.inputs() + "/table/prices.csv"), "3\n");
}

TEST_F(StagingTest, ReplacesWhatAnEarlierAgentHadBegun) {
  order_.inputs = {Input("data", StoredFolder({{"a.csv", "1\n"}}), Mode::kDefault)};
  Write(paths_.inputs() + "/data/half.csv", "");
  ASSERT_TRUE(Stage().ok());
  EXPECT_FALSE(fs::exists(paths_.inputs() + "/data/half.csv"));
}

TEST_F(StagingTest, NamesTheInputThatCannotBeFetched) {
  order_.inputs = {Input("data", Artifact{DigestOf("nowhere"), true, 7, ""}, Mode::kDefault)};
  const absl::Status status = Stage();
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(status.ToString(), HasSubstr("the input \"data\""));
}

TEST_F(StagingTest, MakesFoldersForOutputsAndOnlyAParentForFiles) {
  order_.outputs = {AnOutput("model", ValueType::kUriFolder),
                    AnOutput("table", ValueType::kUriFile),
                    AnOutput("auc", ValueType::kNumber)};
  ASSERT_TRUE(Ready().ok());
  EXPECT_TRUE(fs::is_directory(paths_.OutputPath(order_.outputs[0])));
  EXPECT_FALSE(fs::exists(paths_.OutputPath(order_.outputs[1])));
  EXPECT_TRUE(fs::is_directory(fs::path(paths_.OutputPath(order_.outputs[1])).parent_path()));
  EXPECT_FALSE(fs::exists(paths_.OutputPath(order_.outputs[2])));
  EXPECT_TRUE(fs::is_directory(paths_.outputs()));
}

TEST_F(StagingTest, CollectsAnEmptyFolderButNotAMissingFile) {
  order_.outputs = {AnOutput("model", ValueType::kUriFolder)};
  ASSERT_TRUE(Ready().ok());
  const auto empty = Collect();
  ASSERT_TRUE(empty.ok()) << empty.status();
  EXPECT_TRUE(std::get<Artifact>(empty->values.at(0).value).is_folder);
  order_.outputs = {AnOutput("table", ValueType::kUriFile)};
  ASSERT_TRUE(Ready().ok());
  EXPECT_EQ(Collect().status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Collect().status().ToString(), HasSubstr(paths_.OutputPath(order_.outputs[0])));
  EXPECT_THAT(Collect().status().ToString(), HasSubstr("${{outputs.table}}"));
}

TEST_F(StagingTest, ReadsTheTextOfAPrimitiveOutputWithoutItsLastNewline) {
  order_.outputs = {AnOutput("auc", ValueType::kNumber)};
  ASSERT_TRUE(Ready().ok());
  const std::map<std::string, std::string> texts = {{"0.9", "0.9"},
                                                    {"0.9\n", "0.9"},
                                                    {"0.9\r\n", "0.9"},
                                                    {"a\n\n", "a\n"},
                                                    {"", ""},
                                                    {"żółw", "żółw"}};
  for (const auto& [written, read] : texts) {
    Write(paths_.OutputPath(order_.outputs[0]), written);
    EXPECT_EQ(std::get<std::string>(Collect()->values.at(0).value), read);
  }
}

TEST_F(StagingTest, RefusesAPrimitiveOutputThatIsNoTextOrTooLong) {
  order_.outputs = {AnOutput("auc", ValueType::kNumber)};
  ASSERT_TRUE(Ready().ok());
  const std::vector<std::string> wrong = {
      "\xff", "\xc0\xaf", "\xed\xa0\x80", std::string("a\0b", 3), std::string(65537, 'x')};
  for (const std::string& text : wrong) {
    Write(paths_.OutputPath(order_.outputs[0]), text);
    EXPECT_EQ(Collect().status().code(), absl::StatusCode::kInvalidArgument) << text.size();
  }
  Write(paths_.OutputPath(order_.outputs[0]), std::string(65536, 'x') + "\n");
  EXPECT_TRUE(Collect().ok());
}

TEST_F(StagingTest, KeepsOutputsAndLogsOfTheWorkingDirectoryAndNothingElseOfIt) {
  ASSERT_TRUE(Ready().ok());
  Write(paths_.work() + "/outputs/world.txt", "hello");
  Write(paths_.work() + "/scratch/big.bin", "no");
  const auto collected = Collect();
  ASSERT_TRUE(collected.ok()) << collected.status();
  ASSERT_THAT(collected->values, SizeIs(1));
  EXPECT_EQ(collected->values[0].name, "default");
  ASSERT_TRUE(client_.Upload(collected->blobs).ok());
  const std::string laid = folder_ + "/laid";
  ASSERT_TRUE(LayOut(*store_, std::get<Artifact>(collected->values[0].value), laid, false).ok());
  EXPECT_EQ(ContentOf(laid + "/outputs/world.txt"), "hello");
  EXPECT_TRUE(fs::is_directory(laid + "/logs"));
  EXPECT_FALSE(fs::exists(laid + "/scratch"));
}

TEST_F(StagingTest, GivesTheArtifactRootToAnOutputOfThatName) {
  order_.outputs = {AnOutput("artifacts", ValueType::kUriFolder)};
  ASSERT_TRUE(Ready().ok());
  Write(paths_.work() + "/outputs/world.txt", "hello");
  const auto collected = Collect();
  ASSERT_TRUE(collected.ok()) << collected.status();
  ASSERT_THAT(collected->values, SizeIs(2));
  EXPECT_EQ(collected->values[0].value, collected->values[1].value);
}

TEST_F(StagingTest, FindsDefaultArtifactsOnlyWhereSomethingWasWritten) {
  ASSERT_TRUE(Ready().ok());
  EXPECT_FALSE(HasDefaultArtifacts(paths_));
  EXPECT_FALSE(HasDefaultArtifacts(paths_)) << "asked again after a restart";
  ASSERT_TRUE(Ready().ok());
  Write(paths_.work() + "/logs/train.log", "x");
  EXPECT_TRUE(HasDefaultArtifacts(paths_));
}

TEST_F(StagingTest, RefusesAnOutputThatLinksToWhatLiesElsewhere) {
  order_.outputs = {AnOutput("model", ValueType::kUriFolder)};
  ASSERT_TRUE(Ready().ok());
  fs::create_symlink("/etc/passwd", paths_.OutputPath(order_.outputs[0]) + "/model.bin");
  EXPECT_THAT(Collect().status().ToString(), HasSubstr("the output \"model\" cannot be kept"));
}

// A step could else give whatever its agent may read.
TEST_F(StagingTest, RefusesAnOutputThatIsItselfALinkToElsewhere) {
  const std::string elsewhere = folder_ + "/elsewhere";
  Write(elsewhere, "not the step's");
  for (const ValueType type : {ValueType::kUriFolder, ValueType::kUriFile, ValueType::kString}) {
    order_.outputs = {AnOutput("model", type)};
    RemoveFolder(paths_.outputs());
    ASSERT_TRUE(Ready().ok());
    const std::string path = paths_.OutputPath(order_.outputs[0]);
    fs::remove(path);
    fs::create_symlink(elsewhere, path);
    EXPECT_THAT(Collect().status().ToString(),
                HasSubstr(path + " leads to " + elsewhere + ", outside of the step's folder"));
  }
}

TEST_F(StagingTest, RefusesArtifactsOfAWorkingDirectoryThatIsALinkToElsewhere) {
  Write(folder_ + "/elsewhere/outputs/secret", "not the step's");
  ASSERT_TRUE(Ready().ok());
  fs::remove_all(paths_.work());
  fs::create_symlink(folder_ + "/elsewhere", paths_.work());
  EXPECT_THAT(Collect().status().ToString(), HasSubstr("outside of the step's folder"));
}

TEST_F(StagingTest, TakesAnOutputThatLinksWithinTheStepsFolder) {
  order_.outputs = {AnOutput("table", ValueType::kUriFile)};
  ASSERT_TRUE(Ready().ok());
  Write(paths_.work() + "/table.csv", "1,2\n");
  fs::create_symlink(paths_.work() + "/table.csv", paths_.OutputPath(order_.outputs[0]));
  const auto collected = Collect();
  ASSERT_TRUE(collected.ok()) << collected.status();
  EXPECT_EQ(std::get<Artifact>(collected->values.at(0).value).digest, DigestOf("1,2\n"));
}

// Whoever reads a pipe waits until somebody writes to it, and nobody does.
TEST_F(StagingTest, RefusesAPipeForTheTextOfAPrimitiveOutput) {
  order_.outputs = {AnOutput("auc", ValueType::kNumber)};
  ASSERT_TRUE(Ready().ok());
  const std::string path = paths_.OutputPath(order_.outputs[0]);
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_THAT(Collect().status().ToString(), HasSubstr(path + " is not a regular file"));
}

TEST_F(StagingTest, RemovesFoldersThatAStepMadeUnwritable) {
  Write(folder_ + "/x/a/b", "1");
  fs::permissions(folder_ + "/x/a", fs::perms::none);
  RemoveFolder(folder_ + "/x");
  EXPECT_FALSE(fs::exists(folder_ + "/x"));
}

}  // namespace
}  // namespace potok::agent
