#include "server/artifacts/datastore.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "common/cas/tree.h"
#include "tests/common/cas/cas_testing.h"

namespace potok::server {
namespace {

namespace fs = std::filesystem;

using testing::HasSubstr;

const std::string kStore = "azureml://datastores/workspaceblobstore/paths/";

class DatastoreTest : public testing::Test {
 protected:
  std::string Place(const std::string& path) { return folder_ / "data/workspaceblobstore/" + path; }

  TemporaryFolder folder_;
  std::unique_ptr<BlobStore> blobs_ = OpenStore(folder_ / "blobs");
  std::unique_ptr<ArtifactStore> artifacts_ = LocalArtifacts(*blobs_);
  std::unique_ptr<Datastores> stores_ = *Datastores::Open(folder_ / "data", *artifacts_);
};

TEST_F(DatastoreTest, ImportsFoldersAndFiles) {
  WriteFile(Place("in/a/x.csv"), "x");
  WriteFile(Place("in/y.csv"), "y");
  const auto folder = stores_->Import(kStore + "in");
  ASSERT_TRUE(folder.ok()) << folder.status();
  ASSERT_TRUE(LayOut(*blobs_, *folder, folder_ / "out", false).ok());
  EXPECT_EQ(Listing(folder_ / "out"), Listing(Place("in")));
  const auto file = stores_->Import(kStore + "in/a/x.csv");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(*file, (Artifact{DigestOf("x"), /*is_folder=*/false, 1, "x.csv"}));
}

TEST_F(DatastoreTest, ExportsWhatItImportsAgainAndAgain) {
  WriteFile(Place("in/a"), "new");
  const auto artifact = stores_->Import(kStore + "in");
  ASSERT_TRUE(artifact.ok()) << artifact.status();
  WriteFile(Place("results/run/old"), "old");
  for (int again = 0; again < 2; ++again) {
    const absl::Status exported = stores_->Export(*artifact, kStore + "results/run/");
    ASSERT_TRUE(exported.ok()) << exported;
    EXPECT_EQ(Listing(Place("results")),
              (std::map<std::string, std::string>{{"run/", ""}, {"run/a", "new"}}));
  }
  EXPECT_EQ(stores_->Import(kStore + "results/run")->digest, artifact->digest);
}

TEST_F(DatastoreTest, ListsTheDatastoresThatItKnows) {
  const auto imported = stores_->Import("azureml://datastores/mine/paths/x");
  EXPECT_TRUE(absl::IsInvalidArgument(imported.status()));
  EXPECT_THAT(std::string(imported.status().message()),
              HasSubstr("workspaceblobstore, workspacefilestore"));
  EXPECT_FALSE(fs::exists(folder_ / "data/mine"));
}

TEST_F(DatastoreTest, SaysThatNothingIsThere) {
  const auto imported = stores_->Import(kStore + "absent/x");
  EXPECT_TRUE(absl::IsNotFound(imported.status())) << imported.status();
  EXPECT_THAT(std::string(imported.status().message()), HasSubstr(kStore + "absent/x"));
}

TEST_F(DatastoreTest, FollowsNoLinkOutOfItsFolder) {
  WriteFile(folder_ / "outside/secret", "secret");
  fs::create_directory_symlink(folder_ / "outside", Place("way"));
  fs::create_symlink(folder_ / "outside/secret", Place("file"));
  WriteFile(Place("in/a"), "x");
  fs::create_symlink("../../../outside/secret", Place("in/link"));
  for (const char* path : {"way/secret", "way", "file", "in"}) {
    const auto imported = stores_->Import(kStore + path);
    EXPECT_TRUE(absl::IsInvalidArgument(imported.status())) << path << imported.status();
    EXPECT_THAT(std::string(imported.status().message()), testing::Not(HasSubstr("/proc/")));
  }
  const Artifact empty{DigestOf(""), /*is_folder=*/true, 0, ""};
  EXPECT_TRUE(absl::IsInvalidArgument(stores_->Export(empty, kStore + "way/new")));
  EXPECT_FALSE(fs::exists(folder_ / "outside/new"));
}

TEST_F(DatastoreTest, ReplacesALinkInsteadOfFollowingIt) {
  WriteFile(folder_ / "outside/precious", "precious");
  fs::create_directory_symlink(folder_ / "outside", Place("out"));
  const Artifact empty{DigestOf(""), /*is_folder=*/true, 0, ""};
  ASSERT_TRUE(stores_->Export(empty, kStore + "out").ok());
  EXPECT_FALSE(fs::is_symlink(Place("out")));
  EXPECT_EQ(ReadFile(folder_ / "outside/precious"), "precious");
}

TEST_F(DatastoreTest, LeavesThePlaceAloneWhenABlobIsMissing) {
  WriteFile(Place("out/old"), "old");
  const Artifact broken{DigestOf("absent"), /*is_folder=*/false, 6, "x"};
  EXPECT_TRUE(absl::IsNotFound(stores_->Export(broken, kStore + "out")));
  EXPECT_EQ(Listing(folder_ / "data/workspaceblobstore"),
            (std::map<std::string, std::string>{{"out/", ""}, {"out/old", "old"}}));
}

TEST_F(DatastoreTest, RefusesToGoThroughAFile) {
  WriteFile(Place("file"), "x");
  const Artifact empty{DigestOf(""), /*is_folder=*/true, 0, ""};
  EXPECT_TRUE(absl::IsInvalidArgument(stores_->Export(empty, kStore + "file/below")));
}

}  // namespace
}  // namespace potok::server
