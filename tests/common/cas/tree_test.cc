#include "common/cas/tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "build/bazel/remote/execution/v2/remote_execution.pb.h"
#include "tests/common/cas/cas_testing.h"

namespace potok {
namespace {

namespace fs = std::filesystem;
namespace reapi = build::bazel::remote::execution::v2;

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class TreeTest : public testing::Test {
 protected:
  TreeTest() { fs::create_directory(folder_ / "place"); }

  Digest Put(const std::string& bytes) {
    EXPECT_TRUE(store_->Put(DigestOf(bytes), bytes).ok());
    return DigestOf(bytes);
  }
  Artifact PutDirectory(const reapi::Directory& directory) {
    return Artifact{Put(directory.SerializeAsString()), /*is_folder=*/true, 0, ""};
  }
  absl::Status Lay(const Artifact& artifact) {
    return LayOut(*store_, artifact, folder_ / "place/out", false);
  }

  TemporaryFolder folder_;
  std::unique_ptr<BlobStore> store_ = OpenStore(folder_ / "store");
  const Digest file_ = Put("file");
};

void Fill(reapi::Digest& wire, const Digest& digest) {
  wire.set_hash(digest.Hex());
  wire.set_size_bytes(digest.size_bytes);
}

void AddFile(reapi::Directory& directory, const std::string& name, const Digest& digest) {
  auto& file = *directory.add_files();
  file.set_name(name);
  Fill(*file.mutable_digest(), digest);
}

void AddFolder(reapi::Directory& directory, const std::string& name, const Digest& digest) {
  auto& folder = *directory.add_directories();
  folder.set_name(name);
  Fill(*folder.mutable_digest(), digest);
}

reapi::Directory WithLink(const std::string& name, const std::string& target) {
  reapi::Directory directory;
  auto& link = *directory.add_symlinks();
  link.set_name(name);
  link.set_target(target);
  return directory;
}

TEST_F(TreeTest, RefusesHostileNames) {
  for (const std::string& name : {std::string(""),
                                  std::string("."),
                                  std::string(".."),
                                  std::string("../x"),
                                  std::string("a/b"),
                                  std::string("/etc/x"),
                                  std::string("a\0b", 3),
                                  std::string("no UTF-8 \xFF"),
                                  std::string(256, 'a')}) {
    reapi::Directory file;
    AddFile(file, name, file_);
    reapi::Directory folder;
    AddFolder(folder, name, DigestOf(""));
    for (const auto& directory : {file, folder, WithLink(name, "x")}) {
      const absl::Status laid = Lay(PutDirectory(directory));
      EXPECT_TRUE(absl::IsDataLoss(laid)) << name << ": " << laid;
      EXPECT_TRUE(fs::is_empty(folder_ / "place")) << name;
    }
  }
}

TEST_F(TreeTest, RefusesNamesThatOccurTwice) {
  reapi::Directory twice;
  AddFile(twice, "a", file_);
  AddFile(twice, "a", file_);
  EXPECT_TRUE(absl::IsDataLoss(Lay(PutDirectory(twice))));
  reapi::Directory link_and_folder = WithLink("a", "b");
  AddFolder(link_and_folder, "a", DigestOf(""));
  EXPECT_TRUE(absl::IsDataLoss(Lay(PutDirectory(link_and_folder))));
  EXPECT_TRUE(fs::is_empty(folder_ / "place"));
}

TEST_F(TreeTest, RefusesLinksThatLeave) {
  for (const std::string& target : {std::string("/etc/passwd"),
                                    std::string(".."),
                                    std::string("../x"),
                                    std::string("a/../.."),
                                    std::string("./.././x"),
                                    std::string("a/./../b"),
                                    std::string(""),
                                    std::string("a\0b", 3)}) {
    const absl::Status laid = Lay(PutDirectory(WithLink("link", target)));
    EXPECT_TRUE(absl::IsDataLoss(laid)) << target << ": " << laid;
    EXPECT_TRUE(fs::is_empty(folder_ / "place")) << target;
  }
}

TEST_F(TreeTest, CountsHowFarALinkMayGoUpByItsPlace) {
  reapi::Directory root;
  const Artifact below = PutDirectory(WithLink("link", "../x"));
  AddFolder(root, "below", below.digest);
  EXPECT_TRUE(Lay(PutDirectory(root)).ok());
  EXPECT_EQ(fs::read_symlink(folder_ / "place/out/below/link"), "../x");
}

TEST_F(TreeTest, RefusesBadDigestsAndWhatIsNoFolder) {
  reapi::Directory bad;
  auto& file = *bad.add_files();
  file.set_name("a");
  file.mutable_digest()->set_hash("../../../etc/passwd");
  EXPECT_TRUE(absl::IsDataLoss(Lay(PutDirectory(bad))));
  EXPECT_TRUE(absl::IsDataLoss(Lay(Artifact{Put("\xFF\xFF no message"), true, 0, ""})));
  Digest huge = file_;
  huge.size_bytes = std::int64_t{1} << 40;
  EXPECT_TRUE(absl::IsDataLoss(Lay(Artifact{huge, true, 0, ""})));
  EXPECT_TRUE(fs::is_empty(folder_ / "place"));
}

TEST_F(TreeTest, RefusesFoldersThatAreTooDeep) {
  Digest below = DigestOf("");
  for (int i = 0; i < 600; ++i) {
    reapi::Directory directory;
    AddFolder(directory, "d", below);
    below = PutDirectory(directory).digest;
  }
  const Artifact deep{below, true, 0, ""};
  EXPECT_TRUE(absl::IsDataLoss(Lay(deep)));
  EXPECT_TRUE(absl::IsDataLoss(MissingOf(*store_, deep).status()));
}

TEST_F(TreeTest, RefusesASmallTreeThatUnfoldsToMillionsOfEntries) {
  Digest below = DigestOf("");
  for (int i = 0; i < 40; ++i) {
    reapi::Directory directory;
    AddFolder(directory, "a", below);
    AddFolder(directory, "b", below);
    below = PutDirectory(directory).digest;
  }
  const Artifact bomb{below, true, 0, ""};
  EXPECT_TRUE(absl::IsDataLoss(Lay(bomb)));
  EXPECT_THAT(*MissingOf(*store_, bomb), IsEmpty());
}

// Far fewer than two million entries, each behind a path of 100,000 bytes, filled memory (here 2
// GB), though no disk takes such paths.
TEST_F(TreeTest, RefusesASmallTreeWhosePathsFillMemory) {
  reapi::Directory many;
  for (int i = 0; i < 20'000; ++i) many.add_files()->set_name(std::to_string(i));
  for (auto& file : *many.mutable_files()) Fill(*file.mutable_digest(), file_);
  Digest below = PutDirectory(many).digest;
  for (int i = 0; i < 400; ++i) {
    reapi::Directory directory;
    AddFolder(directory, std::string(250, 'd'), below);
    below = PutDirectory(directory).digest;
  }
  const absl::Status laid = Lay(Artifact{below, true, 0, ""});
  EXPECT_TRUE(absl::IsDataLoss(laid)) << laid;
  EXPECT_THAT(std::string(laid.message()), testing::HasSubstr("take more than 512 MiB"));
}

TEST_F(TreeTest, LeavesNothingWhenABlobIsMissing) {
  reapi::Directory directory;
  AddFile(directory, "a", file_);
  AddFile(directory, "b", DigestOf("absent"));
  const absl::Status laid = Lay(PutDirectory(directory));
  EXPECT_TRUE(absl::IsNotFound(laid)) << laid;
  EXPECT_TRUE(fs::is_empty(folder_ / "place"));
}

TEST_F(TreeTest, NamesEveryMissingBlobOnce) {
  reapi::Directory root;
  reapi::Directory below;
  AddFile(below, "x", DigestOf("absent"));
  AddFile(root, "a", DigestOf("absent"));
  AddFile(root, "b", file_);
  AddFolder(root, "c", PutDirectory(below).digest);
  AddFolder(root, "d", DigestOf("no such folder"));
  EXPECT_THAT(*MissingOf(*store_, PutDirectory(root)),
              UnorderedElementsAre(DigestOf("absent"), DigestOf("no such folder")));
  EXPECT_THAT(*MissingOf(*store_, Artifact{file_, false, 4, "f"}), IsEmpty());
  EXPECT_THAT(*MissingOf(*store_, Artifact{DigestOf("?"), false, 1, "f"}),
              ElementsAre(DigestOf("?")));
}

TEST_F(TreeTest, ReplacesOnlyWhenAsked) {
  WriteFile(folder_ / "place/out/old", "old");
  reapi::Directory directory;
  AddFile(directory, "new", file_);
  const Artifact artifact = PutDirectory(directory);
  EXPECT_TRUE(absl::IsAlreadyExists(Lay(artifact)));
  EXPECT_TRUE(fs::exists(folder_ / "place/out/old"));
  for (int again = 0; again < 2; ++again) {
    ASSERT_TRUE(LayOut(*store_, artifact, folder_ / "place/out", true).ok());
    EXPECT_EQ(Listing(folder_ / "place"),
              (std::map<std::string, std::string>{{"out/", ""}, {"out/new", "file"}}));
  }
}

TEST_F(TreeTest, ReplacesAFolderByAFileAndBack) {
  const Artifact file{file_, false, 4, "f"};
  const Artifact empty{DigestOf(""), true, 0, ""};
  for (const Artifact& artifact : {file, empty, file}) {
    ASSERT_TRUE(LayOut(*store_, artifact, folder_ / "place/out", true).ok());
    EXPECT_EQ(fs::is_directory(folder_ / "place/out"), artifact.is_folder);
  }
}

TEST_F(TreeTest, LaysPrivateCopies) {
  ASSERT_TRUE(Lay(Artifact{file_, false, 4, "f"}).ok());
  WriteFile(folder_ / "place/out", "mine");
  EXPECT_EQ(*store_->Read(file_), "file");
}

}  // namespace
}  // namespace potok
