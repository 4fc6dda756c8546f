#include "common/cas/cas_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <functional>
#include <map>

#include "common/cas/folder.h"
#include "common/cas/tree.h"
#include "fmt/format.h"
#include "tests/common/cas/cas_server.h"
#include "tests/common/cas/cas_testing.h"

namespace potok {
namespace {

namespace fs = std::filesystem;

class CasClientTest : public testing::Test {
 protected:
  TemporaryFolder folder_;
  std::unique_ptr<BlobStore> store_ = OpenStore(folder_ / "store");
  CasServer server_{*store_, folder_ / "socket"};
  CasClient client_{ChannelTo(server_.address())};

  Artifact UploadFolder(const std::string& path) {
    auto snapshot = SnapshotFolder(path, {});
    EXPECT_TRUE(snapshot.ok()) << snapshot.status();
    const absl::Status uploaded = client_.Upload(*snapshot);
    EXPECT_TRUE(uploaded.ok()) << uploaded;
    return snapshot->artifact;
  }
  void MakeSample(const std::string& path) {
    WriteFile(path + "/empty", "");
    WriteFile(path + "/small.txt", "small");
    WriteFile(path + "/same.txt", "small");
    WriteFile(path + "/deep/er/large", Noise(5'000'000, 1));
    WriteFile(path + "/deep/same-large", Noise(5'000'000, 1));
    WriteFile(path + "/run.sh", "#!/bin/sh\n");
    fs::permissions(path + "/run.sh", fs::perms::owner_all);
    fs::create_directories(path + "/nothing/inside");
    fs::create_symlink("../small.txt", path + "/deep/link");
    WriteFile(path + "/-odd name \xC3\xBC\n", "odd");
  }
};

TEST_F(CasClientTest, BringsAFolderBackAsItWas) {
  MakeSample(folder_ / "in");
  const Artifact artifact = UploadFolder(folder_ / "in");
  auto cache = OpenStore(folder_ / "cache");
  for (const Placing placing : {Placing::kCopy, Placing::kLink}) {
    const std::string out = folder_ / (placing == Placing::kCopy ? "copy" : "link");
    const absl::Status fetched = client_.Fetch(artifact, out, cache.get(), placing);
    ASSERT_TRUE(fetched.ok()) << fetched;
    EXPECT_EQ(Listing(out), Listing(folder_ / "in"));
  }
}

TEST_F(CasClientTest, FetchesWithoutACacheAndKeepsNoneOfItsBlobs) {
  MakeSample(folder_ / "in");
  const Artifact artifact = UploadFolder(folder_ / "in");
  fs::create_directory(folder_ / "place");
  const absl::Status fetched =
      client_.Fetch(artifact, folder_ / "place/out", nullptr, Placing::kCopy);
  ASSERT_TRUE(fetched.ok()) << fetched;
  EXPECT_EQ(Listing(folder_ / "place/out"), Listing(folder_ / "in"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "place"), {}), 1);
  // Files of equal content must not be one file.
  WriteFile(folder_ / "place/out/small.txt", "changed");
  EXPECT_EQ(ReadFile(folder_ / "place/out/same.txt"), "small");
}

TEST_F(CasClientTest, FetchesAFile) {
  WriteFile(folder_ / "model", "weights");
  const auto snapshot = SnapshotFile(folder_ / "model");
  ASSERT_TRUE(snapshot.ok());
  ASSERT_TRUE(client_.Upload(*snapshot).ok());
  ASSERT_TRUE(client_.Fetch(snapshot->artifact, folder_ / "out", nullptr, Placing::kCopy).ok());
  EXPECT_EQ(ReadFile(folder_ / "out"), "weights");
}

// Small files go in batches and large ones alone; each may be another file, or none, by the time
// that it is sent.
TEST_F(CasClientTest, SaysThatAFileHasChangedSinceItWasHashed) {
  for (const std::size_t size : {std::size_t{10}, std::size_t{3'000'000}}) {
    const std::string path = folder_ / "file";
    const std::vector<std::function<void()>> changes = {
        [&] { WriteFile(path, Noise(size, 2)); },
        [&] { WriteFile(path, "shorter"); },
        [&] { ASSERT_EQ(fs::remove(path) && mkfifo(path.c_str(), 0600) == 0, true); },
    };
    for (const auto& change : changes) {
      fs::remove(path);
      WriteFile(path, Noise(size, 1));
      const auto snapshot = SnapshotFile(path);
      ASSERT_TRUE(snapshot.ok()) << snapshot.status();
      change();
      const absl::Status uploaded = client_.Upload(*snapshot);
      EXPECT_TRUE(absl::IsAborted(uploaded)) << uploaded;
      EXPECT_THAT(uploaded.ToString(), testing::HasSubstr(path + " changed since it was hashed"));
      EXPECT_FALSE(store_->Contains(snapshot->artifact.digest));
    }
  }
}

TEST_F(CasClientTest, LinksAreReadOnlyAndShareTheCachesBytesCopiesDoNot) {
  WriteFile(folder_ / "in/a", "bytes");
  const Artifact artifact = UploadFolder(folder_ / "in");
  auto cache = OpenStore(folder_ / "cache");
  ASSERT_TRUE(client_.Fetch(artifact, folder_ / "link", cache.get(), Placing::kLink).ok());
  ASSERT_TRUE(client_.Fetch(artifact, folder_ / "copy", cache.get(), Placing::kCopy).ok());
  const std::string blob = *cache->PathOf(DigestOf("bytes"));
  EXPECT_TRUE(fs::equivalent(folder_ / "link/a", blob));
  EXPECT_EQ(fs::status(folder_ / "link/a").permissions(), static_cast<fs::perms>(0444));
  EXPECT_EQ(fs::status(folder_ / "link").permissions(), static_cast<fs::perms>(0555));
  EXPECT_EQ(fs::status(folder_ / "copy").permissions(), static_cast<fs::perms>(0755));
  EXPECT_FALSE(fs::equivalent(folder_ / "copy/a", blob));
  EXPECT_EQ(fs::status(folder_ / "copy/a").permissions(), static_cast<fs::perms>(0644));
}

TEST_F(CasClientTest, FetchesAgainWhatAStepHasSpoiled) {
  WriteFile(folder_ / "in/a", "bytes");
  const Artifact artifact = UploadFolder(folder_ / "in");
  auto cache = OpenStore(folder_ / "cache");
  ASSERT_TRUE(client_.Fetch(artifact, folder_ / "one", cache.get(), Placing::kLink).ok());
  fs::permissions(folder_ / "one/a", fs::perms::owner_all);
  WriteFile(folder_ / "one/a", "spoilt");
  ASSERT_TRUE(client_.Fetch(artifact, folder_ / "two", cache.get(), Placing::kLink).ok());
  EXPECT_EQ(ReadFile(folder_ / "two/a"), "bytes");
}

TEST_F(CasClientTest, LaysOutMoreThanTheCacheMayKeep) {
  for (unsigned i = 0; i < 10; ++i)
    WriteFile(folder_ / fmt::format("in/{}", i), Noise(2000, 1 + i));
  const Artifact artifact = UploadFolder(folder_ / "in");
  auto cache = OpenStore(folder_ / "cache", 5000);
  const absl::Status fetched =
      client_.Fetch(artifact, folder_ / "out", cache.get(), Placing::kLink);
  ASSERT_TRUE(fetched.ok()) << fetched;
  EXPECT_EQ(Listing(folder_ / "out"), Listing(folder_ / "in"));
}

TEST_F(CasClientTest, DoesNotTouchWhatIsThere) {
  WriteFile(folder_ / "out/mine", "x");
  const Artifact artifact{DigestOf(""), /*is_folder=*/true, 0, ""};
  EXPECT_TRUE(
      absl::IsAlreadyExists(client_.Fetch(artifact, folder_ / "out", nullptr, Placing::kCopy)));
  EXPECT_EQ(ReadFile(folder_ / "out/mine"), "x");
}

TEST_F(CasClientTest, LeavesNothingOfAnArtifactThatIsNotWhole) {
  MakeSample(folder_ / "in");
  const Artifact artifact = UploadFolder(folder_ / "in");
  fs::remove(*store_->PathOf(DigestOf("small")));
  fs::create_directory(folder_ / "place");
  auto cache = OpenStore(folder_ / "cache");
  for (BlobStore* through : {cache.get(), static_cast<BlobStore*>(nullptr)}) {
    const absl::Status fetched =
        client_.Fetch(artifact, folder_ / "place/out", through, Placing::kCopy);
    EXPECT_TRUE(absl::IsNotFound(fetched)) << fetched;
    EXPECT_THAT(std::string(fetched.message()), testing::HasSubstr(DigestOf("small").Hex()));
    EXPECT_TRUE(fs::is_empty(folder_ / "place"));
  }
}

TEST_F(CasClientTest, RefusesAHostileTree) {
  const std::string hostile = EncodeFolder({{{"../../escaped", DigestOf(""), false}}, {}, {}});
  ASSERT_TRUE(store_->Put(DigestOf(hostile), hostile).ok());
  fs::create_directory(folder_ / "place");
  const Artifact artifact{DigestOf(hostile), /*is_folder=*/true, 0, ""};
  const absl::Status fetched =
      client_.Fetch(artifact, folder_ / "place/out", nullptr, Placing::kCopy);
  EXPECT_TRUE(absl::IsDataLoss(fetched)) << fetched;
  EXPECT_TRUE(fs::is_empty(folder_ / "place"));
  EXPECT_FALSE(fs::exists(folder_ / "escaped"));
}

TEST_F(CasClientTest, SendsOnlyWhatIsMissingAndCountsIt) {
  WriteFile(folder_ / "in/old", Noise(50'000, 1));
  UploadFolder(folder_ / "in");
  WriteFile(folder_ / "in/new", Noise(3'000'000, 2));
  const auto snapshot = SnapshotFolder(folder_ / "in", {});
  ASSERT_TRUE(snapshot.ok());
  std::mutex mutex;
  TransferProgress last;
  const absl::Status uploaded = client_.Upload(*snapshot, [&](const TransferProgress& progress) {
    const std::lock_guard lock(mutex);
    last.bytes_done = std::max(last.bytes_done, progress.bytes_done);
    last.bytes_total = progress.bytes_total;
  });
  ASSERT_TRUE(uploaded.ok()) << uploaded;
  EXPECT_EQ(last.bytes_total, 3'000'000 + snapshot->artifact.digest.size_bytes);
  EXPECT_EQ(last.bytes_done, last.bytes_total);
}

TEST_F(CasClientTest, ManyClientsMayUploadTheSame) {
  MakeSample(folder_ / "in");
  const auto snapshot = SnapshotFolder(folder_ / "in", {});
  ASSERT_TRUE(snapshot.ok());
  std::vector<std::thread> threads;
  std::atomic<int> uploaded = 0;
  for (int i = 0; i < 5; ++i) {
    threads.emplace_back([&] {
      CasClient client(ChannelTo(server_.address()));
      uploaded += client.Upload(*snapshot).ok() ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(uploaded, 5);
  EXPECT_THAT(*MissingOf(*store_, snapshot->artifact), testing::IsEmpty());
  EXPECT_TRUE(fs::is_empty(folder_ / "store/uploads"));
}

TEST_F(CasClientTest, MovesThousandsOfFiles) {
  for (int i = 0; i < 3000; ++i) {
    WriteFile(folder_ / fmt::format("in/{}/{}", i % 30, i), std::to_string(i));
  }
  const Artifact artifact = UploadFolder(folder_ / "in");
  ASSERT_TRUE(client_.Fetch(artifact, folder_ / "out", nullptr, Placing::kCopy).ok());
  EXPECT_EQ(Listing(folder_ / "out"), Listing(folder_ / "in"));
}

TEST_F(CasClientTest, SaysWhichFileChangedSinceItWasHashed) {
  for (const std::size_t size : {std::size_t{100}, std::size_t{3'000'000}}) {
    WriteFile(folder_ / "in/file", Noise(size, 1));
    const auto snapshot = SnapshotFolder(folder_ / "in", {});
    ASSERT_TRUE(snapshot.ok());
    WriteFile(folder_ / "in/file", Noise(size - 1, 1));
    const absl::Status uploaded = client_.Upload(*snapshot);
    EXPECT_TRUE(absl::IsAborted(uploaded)) << uploaded;
    EXPECT_THAT(std::string(uploaded.message()), testing::HasSubstr(folder_ / "in/file"));
  }
}

TEST_F(CasClientTest, ReadsABlobOfLimitedSize) {
  const std::string bytes = Noise(3'000'000, 9);
  ASSERT_TRUE(store_->Put(DigestOf(bytes), bytes).ok());
  EXPECT_EQ(*client_.ReadBlob(DigestOf(bytes), 3'000'000), bytes);
  EXPECT_EQ(*client_.ReadBlob(DigestOf(""), 0), "");
  EXPECT_TRUE(absl::IsInvalidArgument(client_.ReadBlob(DigestOf(bytes), 2'999'999).status()));
  EXPECT_TRUE(absl::IsNotFound(client_.ReadBlob(DigestOf("absent"), 100).status()));
}

TEST_F(CasClientTest, GivesUpOnAStoreThatStaysAway) {
  CasClient client(ChannelTo("unix:" + (folder_ / "nobody")),
                   {.patience = absl::Milliseconds(300), .transfers = 1});
  EXPECT_TRUE(absl::IsUnavailable(client.Missing({DigestOf("x")}).status()));
}

TEST_F(CasClientTest, WaitsForAStoreThatComes) {
  std::unique_ptr<CasServer> late;
  CasClient client(ChannelTo("unix:" + (folder_ / "late")),
                   {.patience = absl::Seconds(30), .transfers = 1});
  std::thread asking([&] { EXPECT_TRUE(client.Missing({DigestOf("x")}).ok()); });
  late = std::make_unique<CasServer>(*store_, folder_ / "late");
  asking.join();
}

}  // namespace
}  // namespace potok
