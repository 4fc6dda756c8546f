// Lines that break in the middle of a transfer.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <random>

#include "common/cas/cas_client.h"
#include "common/cas/tree.h"
#include "fmt/format.h"
#include "tests/common/cas/cas_server.h"
#include "tests/common/cas/cas_testing.h"
#include "tests/common/cas/cutting_proxy.h"

namespace potok {
namespace {

namespace fs = std::filesystem;

constexpr int kCuts = 50;
// What a cut may lose: the chunks that were on their way in each transfer, a batch, and what the
// receiver had not taken from HTTP/2's window yet, which is bounded (cas_server.h).
constexpr std::int64_t kLostPerCutMax = std::int64_t{8} << 20;

// POTOK_TEST_SEED, or another one each time; said with every failure.
unsigned Seed() {
  const char* given = std::getenv("POTOK_TEST_SEED");
  static const unsigned kSeed =
      given != nullptr ? static_cast<unsigned>(std::atoi(given)) : std::random_device{}();
  return kSeed;
}

std::vector<std::int64_t> RandomCuts() {
  std::mt19937 random(Seed());
  std::vector<std::int64_t> cuts;
  // Some fall into the connection's first words, most into the data.
  for (int i = 0; i < kCuts; ++i) {
    const int most = i % 4 == 0 ? 300 : 1'400'000;
    cuts.push_back(std::uniform_int_distribution(1, most)(random));
  }
  return cuts;
}

// Breaks there, and every time again before anything can come of it.
std::vector<std::int64_t> DeadAfter(std::int64_t bytes) {
  std::vector<std::int64_t> cuts(2000, 1);
  cuts.front() = bytes;
  return cuts;
}

std::int64_t Sum(const std::vector<std::int64_t>& cuts) {
  return std::accumulate(cuts.begin(), cuts.end(), std::int64_t{0});
}

class CasCutTest : public testing::Test {
 protected:
  // More than all cuts together, so that every cut falls before the end.
  Snapshot MakeSample() {
    WriteFile(folder_ / "in/large", Noise(static_cast<std::size_t>(Sum(cuts_)) + 8'000'000, 1));
    for (unsigned i = 0; i < 40; ++i) {
      WriteFile(folder_ / fmt::format("in/small/{}", i), Noise(300'000, 1000 + i));
    }
    auto snapshot = SnapshotFolder(folder_ / "in", {});
    EXPECT_TRUE(snapshot.ok()) << snapshot.status();
    return *std::move(snapshot);
  }
  CasClient ClientThrough(const std::string& socket, absl::Duration patience) {
    return CasClient(ChannelTo("unix:" + socket), {.patience = patience, .transfers = 2});
  }
  std::unique_ptr<CuttingProxy> Proxy(Direction direction, std::vector<std::int64_t> cuts) {
    return std::make_unique<CuttingProxy>(
        folder_ / "proxy", folder_ / "socket", direction, std::move(cuts));
  }

  testing::ScopedTrace seed_{__FILE__, __LINE__, fmt::format("POTOK_TEST_SEED={}", Seed())};
  const std::vector<std::int64_t> cuts_ = RandomCuts();
  TemporaryFolder folder_;
  std::unique_ptr<BlobStore> store_ = OpenStore(folder_ / "store");
  CasServer server_{*store_, folder_ / "socket"};
};

TEST_F(CasCutTest, AnUploadSurvivesCutsAndLeavesNothingBehind) {
  const Snapshot snapshot = MakeSample();
  const auto proxy = Proxy(Direction::kToServer, cuts_);
  CasClient client = ClientThrough(folder_ / "proxy", absl::Seconds(60));
  const absl::Status uploaded = client.Upload(snapshot);
  ASSERT_TRUE(uploaded.ok()) << uploaded;
  EXPECT_EQ(proxy->cuts_done(), kCuts);
  ASSERT_TRUE(LayOut(*store_, snapshot.artifact, folder_ / "out", false).ok());
  EXPECT_EQ(Listing(folder_ / "out"), Listing(folder_ / "in"));
  EXPECT_TRUE(fs::is_empty(folder_ / "store/uploads"));
}

TEST_F(CasCutTest, ADownloadSurvivesCutsAndLeavesNothingBehind) {
  const Snapshot snapshot = MakeSample();
  ASSERT_TRUE(PutSnapshot(*store_, snapshot).ok());
  const auto proxy = Proxy(Direction::kToClient, cuts_);
  const auto cache = OpenStore(folder_ / "cache");
  fs::create_directory(folder_ / "place");
  CasClient client = ClientThrough(folder_ / "proxy", absl::Seconds(60));
  const absl::Status fetched =
      client.Fetch(snapshot.artifact, folder_ / "place/out", cache.get(), Placing::kLink);
  ASSERT_TRUE(fetched.ok()) << fetched;
  EXPECT_EQ(proxy->cuts_done(), kCuts);
  EXPECT_EQ(Listing(folder_ / "place/out"), Listing(folder_ / "in"));
  EXPECT_TRUE(fs::is_empty(folder_ / "cache/uploads"));
  fs::remove_all(folder_ / "place/out");
  EXPECT_TRUE(fs::is_empty(folder_ / "place"));
}

// One large blob, cut once in its second half: with half a blob lost it would be half as much
// again.
class CasResumeTest : public CasCutTest {
 protected:
  static constexpr std::int64_t kBytes = 60'000'000;

  void SetUp() override {
    WriteFile(folder_ / "large", Noise(kBytes, Seed()));
    large_ = *SnapshotFile(folder_ / "large");
  }
  static std::vector<std::int64_t> LateCut() {
    std::mt19937 random(Seed());
    return {std::uniform_int_distribution<std::int64_t>(kBytes / 2, kBytes - 1'000'000)(random)};
  }
  Snapshot large_;
};

TEST_F(CasResumeTest, AnUploadGoesOnWhereItWasCut) {
  const auto proxy = Proxy(Direction::kToServer, LateCut());
  CasClient client = ClientThrough(folder_ / "proxy", absl::Seconds(60));
  ASSERT_TRUE(client.Upload(large_).ok());
  EXPECT_EQ(proxy->cuts_done(), 1);
  EXPECT_LT(proxy->carried_bytes(), kBytes + kLostPerCutMax);
  EXPECT_TRUE(store_->Contains(large_.artifact.digest));
}

TEST_F(CasResumeTest, ADownloadGoesOnWhereItWasCut) {
  ASSERT_TRUE(PutSnapshot(*store_, large_).ok());
  const auto proxy = Proxy(Direction::kToClient, LateCut());
  CasClient client = ClientThrough(folder_ / "proxy", absl::Seconds(60));
  ASSERT_TRUE(client.Fetch(large_.artifact, folder_ / "out", nullptr, Placing::kCopy).ok());
  EXPECT_EQ(proxy->cuts_done(), 1);
  EXPECT_LT(proxy->carried_bytes(), kBytes + kLostPerCutMax);
  EXPECT_EQ(SnapshotFile(folder_ / "out")->artifact.digest, large_.artifact.digest);
}

// The line breaks for good once most has gone, and comes back when the client has given up.
TEST_F(CasResumeTest, ALaterUploadOfTheSameClientGoesOnToo) {
  auto proxy = Proxy(Direction::kToServer, DeadAfter(LateCut().front()));
  CasClient client = ClientThrough(folder_ / "proxy", absl::Seconds(1));
  const absl::Status gave_up = client.Upload(large_);
  EXPECT_TRUE(absl::IsUnavailable(gave_up)) << gave_up;
  EXPECT_THAT(std::string(gave_up.message()), testing::HasSubstr(folder_ / "large"));
  EXPECT_THAT(std::string(gave_up.message()), testing::HasSubstr("nothing moved for"));
  proxy = nullptr;
  proxy = Proxy(Direction::kToServer, {});
  const absl::Status uploaded = client.Upload(large_);
  ASSERT_TRUE(uploaded.ok()) << uploaded;
  EXPECT_LT(proxy->carried_bytes(), kBytes / 2 + kLostPerCutMax);
  EXPECT_TRUE(fs::is_empty(folder_ / "store/uploads"));
}

TEST_F(CasResumeTest, ALaterDownloadIntoTheSameCacheGoesOnToo) {
  ASSERT_TRUE(PutSnapshot(*store_, large_).ok());
  const auto cache = OpenStore(folder_ / "cache");
  fs::create_directory(folder_ / "place");
  auto proxy = Proxy(Direction::kToClient, DeadAfter(LateCut().front()));
  const absl::Status gave_up =
      ClientThrough(folder_ / "proxy", absl::Seconds(1))
          .Fetch(large_.artifact, folder_ / "place/out", cache.get(), Placing::kLink);
  EXPECT_TRUE(absl::IsUnavailable(gave_up)) << gave_up;
  EXPECT_TRUE(fs::is_empty(folder_ / "place"));
  proxy = nullptr;
  proxy = Proxy(Direction::kToClient, {});
  const absl::Status fetched =
      ClientThrough(folder_ / "proxy", absl::Seconds(60))
          .Fetch(large_.artifact, folder_ / "place/out", cache.get(), Placing::kLink);
  ASSERT_TRUE(fetched.ok()) << fetched;
  EXPECT_LT(proxy->carried_bytes(), kBytes / 2 + kLostPerCutMax);
  EXPECT_TRUE(fs::is_empty(folder_ / "cache/uploads"));
}

TEST_F(CasResumeTest, NothingStaysWhereADownloadWasGivenUp) {
  ASSERT_TRUE(PutSnapshot(*store_, large_).ok());
  const auto proxy = Proxy(Direction::kToClient, DeadAfter(LateCut().front()));
  fs::create_directory(folder_ / "place");
  CasClient client = ClientThrough(folder_ / "proxy", absl::Seconds(1));
  const absl::Status fetched =
      client.Fetch(large_.artifact, folder_ / "place/out", nullptr, Placing::kCopy);
  EXPECT_TRUE(absl::IsUnavailable(fetched)) << fetched;
  EXPECT_TRUE(fs::is_empty(folder_ / "place"));
}

TEST_F(CasResumeTest, WhatAnUploadLeftGoesWhenNobodyComesBackForIt) {
  auto keeps_nothing = *BlobStore::Open(
      {.root = folder_ / "short", .durable = false, .upload_keep = absl::ZeroDuration()});
  CasServer server(*keeps_nothing, folder_ / "short-socket");
  {
    CuttingProxy proxy(folder_ / "proxy",
                       folder_ / "short-socket",
                       Direction::kToServer,
                       DeadAfter(LateCut().front()));
    CasClient client = ClientThrough(folder_ / "proxy", absl::Seconds(1));
    ASSERT_TRUE(absl::IsUnavailable(client.Upload(large_)));
  }
  WriteFile(folder_ / "other", Noise(3'000'000, 2));
  CasClient client = ClientThrough(folder_ / "short-socket", absl::Seconds(60));
  ASSERT_TRUE(client.Upload(*SnapshotFile(folder_ / "other")).ok());
  EXPECT_TRUE(fs::is_empty(folder_ / "short/uploads"));
}

}  // namespace
}  // namespace potok
