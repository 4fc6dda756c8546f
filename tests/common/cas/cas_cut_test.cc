// Lines that break in the middle of a transfer.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
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

constexpr int kCuts = 20;

std::vector<std::int64_t> RandomCuts(unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::int64_t> cuts;
  // Some fall into the connection's first words, most into the data.
  for (int i = 0; i < kCuts; ++i) {
    const int most = i % 4 == 0 ? 300 : 1'400'000;
    cuts.push_back(std::uniform_int_distribution(1, most)(random));
  }
  return cuts;
}

class CasCutTest : public testing::TestWithParam<unsigned> {
 protected:
  // More than all cuts together, so that every cut falls before the end.
  void MakeSample() {
    WriteFile(folder_ / "in/large", Noise(16'000'000, GetParam()));
    for (unsigned i = 0; i < 40; ++i) {
      WriteFile(folder_ / fmt::format("in/small/{}", i), Noise(300'000, GetParam() + 1000 + i));
    }
  }
  CasClient ClientThrough(const std::string& socket) {
    return CasClient(ChannelTo("unix:" + socket), {.patience = absl::Seconds(60), .transfers = 2});
  }

  TemporaryFolder folder_;
  std::unique_ptr<BlobStore> store_ = OpenStore(folder_ / "store");
  CasServer server_{*store_, folder_ / "socket"};
};

TEST_P(CasCutTest, AnUploadSurvivesCutsAndLeavesNothingBehind) {
  MakeSample();
  CuttingProxy proxy(
      folder_ / "proxy", folder_ / "socket", Direction::kToServer, RandomCuts(GetParam()));
  const auto snapshot = SnapshotFolder(folder_ / "in", {});
  ASSERT_TRUE(snapshot.ok());
  CasClient client = ClientThrough(folder_ / "proxy");
  const absl::Status uploaded = client.Upload(*snapshot);
  ASSERT_TRUE(uploaded.ok()) << uploaded;
  EXPECT_EQ(proxy.cuts_done(), kCuts);
  ASSERT_TRUE(LayOut(*store_, snapshot->artifact, folder_ / "out", false).ok());
  EXPECT_EQ(Listing(folder_ / "out"), Listing(folder_ / "in"));
  EXPECT_TRUE(fs::is_empty(folder_ / "store/uploads"));
}

TEST_P(CasCutTest, ADownloadSurvivesCutsAndLeavesNothingBehind) {
  MakeSample();
  const auto snapshot = SnapshotFolder(folder_ / "in", {});
  ASSERT_TRUE(snapshot.ok());
  ASSERT_TRUE(PutSnapshot(*store_, *snapshot).ok());
  CuttingProxy proxy(
      folder_ / "proxy", folder_ / "socket", Direction::kToClient, RandomCuts(GetParam()));
  const auto cache = OpenStore(folder_ / "cache");
  fs::create_directory(folder_ / "place");
  CasClient client = ClientThrough(folder_ / "proxy");
  const absl::Status fetched =
      client.Fetch(snapshot->artifact, folder_ / "place/out", cache.get(), Placing::kLink);
  ASSERT_TRUE(fetched.ok()) << fetched;
  EXPECT_EQ(proxy.cuts_done(), kCuts);
  EXPECT_EQ(Listing(folder_ / "place/out"), Listing(folder_ / "in"));
  EXPECT_TRUE(fs::is_empty(folder_ / "cache/uploads"));
  fs::remove_all(folder_ / "place/out");
  EXPECT_TRUE(fs::is_empty(folder_ / "place"));
}

INSTANTIATE_TEST_SUITE_P(Seeds, CasCutTest, testing::Values(1U));

}  // namespace
}  // namespace potok
