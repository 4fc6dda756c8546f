#include "agent/loop/spare_folders.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

#include "agent/loop/whole_file.h"

namespace potok::agent {
namespace {

namespace fs = std::filesystem;

void Write(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}
std::string Read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class SpareFoldersTest : public ::testing::Test {
 protected:
  SpareFoldersTest() {
    root_ = (fs::temp_directory_path() / "potok-spare-XXXXXX").string();
    if (mkdtemp(root_.data()) == nullptr) abort();
    spares_.emplace(root_ + "/spare");
  }
  ~SpareFoldersTest() override { fs::remove_all(root_); }

  // The folder of an attempt that wrote nothing but its log.
  AttemptPaths Ended(const std::string& name) {
    const AttemptPaths paths(root_ + "/" + name);
    for (const char* folder : {"/work/outputs", "/work/logs", "/tmp"}) {
      fs::create_directories(paths.folder + folder);
    }
    Write(paths.order(), "the order of " + name + ", which is long");
    Write(paths.state(), std::string(448, 's'));
    Write(paths.log(), "a log");
    return paths;
  }

  std::string root_;
  std::optional<SpareFolders> spares_;
};

TEST_F(SpareFoldersTest, HasNoneAtFirst) {
  EXPECT_FALSE(spares_->Take(AttemptPaths(root_ + "/a"), "order"));
  EXPECT_FALSE(fs::exists(root_ + "/a"));
}

TEST_F(SpareFoldersTest, MakesTheFolderOfAnEndedAttemptThatOfANewOne) {
  const AttemptPaths ended = Ended("a");
  ASSERT_TRUE(spares_->Give(ended));
  EXPECT_FALSE(fs::exists(ended.folder));
  const AttemptPaths next(root_ + "/b");
  ASSERT_TRUE(spares_->Take(next, "short"));
  EXPECT_EQ(Read(next.order()), "short");
  EXPECT_EQ(Read(next.log()), "");
  EXPECT_EQ(Read(next.state()).find_first_not_of('\0'), std::string::npos);
  EXPECT_TRUE(fs::is_empty(next.work() + "/outputs"));
  EXPECT_FALSE(spares_->Take(AttemptPaths(root_ + "/c"), "order")) << "it was given twice";
}

TEST_F(SpareFoldersTest, KeepsNothingThatACommandMadeOrChanged) {
  const std::vector<std::function<void(const AttemptPaths&)>> changes = {
      [](const AttemptPaths& paths) { Write(paths.work() + "/file", ""); },
      [](const AttemptPaths& paths) { Write(paths.work() + "/outputs/file", ""); },
      [](const AttemptPaths& paths) { Write(paths.work() + "/logs/file", ""); },
      [](const AttemptPaths& paths) { Write(paths.temporary() + "/.hidden", ""); },
      [](const AttemptPaths& paths) { Write(paths.folder + "/file", ""); },
      [](const AttemptPaths& paths) { fs::create_directory(paths.inputs()); },
      [](const AttemptPaths& paths) { Write(paths.report(), "report"); },
      [](const AttemptPaths& paths) { fs::remove(paths.work() + "/logs"); },
      [](const AttemptPaths& paths) {
        fs::remove(paths.work() + "/logs");
        fs::create_directory_symlink("/tmp", paths.work() + "/logs");
      },
      [](const AttemptPaths& paths) { chmod(paths.work().c_str(), 0700); },
      [](const AttemptPaths& paths) { chmod((paths.work() + "/outputs").c_str(), 0777); },
      [](const AttemptPaths& paths) { fs::create_hard_link(paths.log(), paths.folder + "-log"); },
      [](const AttemptPaths& paths) {
        fs::create_hard_link(paths.order(), paths.folder + "-order");
      },
      [](const AttemptPaths& paths) {
        Write(paths.script(), "#");
        fs::create_hard_link(paths.script(), paths.folder + "-script");
      },
      [](const AttemptPaths& paths) {
        fs::remove(paths.log());
        fs::create_symlink(paths.order(), paths.log());
      },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const AttemptPaths paths = Ended("changed-" + std::to_string(i));
    changes[i](paths);
    EXPECT_FALSE(spares_->Give(paths)) << "change " << i;
    EXPECT_TRUE(fs::exists(paths.folder)) << "change " << i;
  }
  EXPECT_FALSE(spares_->Take(AttemptPaths(root_ + "/next"), "order"));
}

TEST_F(SpareFoldersTest, LeavesAScriptToBeReplacedByTheNextOne) {
  const AttemptPaths ended = Ended("a");
  Write(ended.script(), "a script, and a long one");
  ASSERT_TRUE(spares_->Give(ended));
  const AttemptPaths next(root_ + "/b");
  ASSERT_TRUE(spares_->Take(next, "order"));
  ASSERT_TRUE(WriteFile(next.script(), "short").ok());
  EXPECT_EQ(Read(next.script()), "short");
}

TEST_F(SpareFoldersTest, WritesNoFileThroughALink) {
  Write(root_ + "/target", "kept");
  fs::create_symlink(root_ + "/target", root_ + "/link");
  const absl::Status written = WriteFile(root_ + "/link", "x");
  EXPECT_EQ(written.code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(written.ToString().find(root_ + "/link"), std::string::npos);
  EXPECT_EQ(Read(root_ + "/target"), "kept");
}

TEST_F(SpareFoldersTest, RemovesWhatAnEarlierAgentLeft) {
  ASSERT_TRUE(spares_->Give(Ended("a")));
  spares_.emplace(root_ + "/spare");
  EXPECT_TRUE(fs::is_empty(root_ + "/spare"));
  EXPECT_FALSE(spares_->Take(AttemptPaths(root_ + "/b"), "order"));
}

TEST_F(SpareFoldersTest, MakesNoFolderWhereAnotherAttemptHasOne) {
  ASSERT_TRUE(spares_->Give(Ended("a")));
  const AttemptPaths taken = Ended("b");
  EXPECT_FALSE(spares_->Take(taken, "order"));
  EXPECT_EQ(Read(taken.log()), "a log");
}

}  // namespace
}  // namespace potok::agent
