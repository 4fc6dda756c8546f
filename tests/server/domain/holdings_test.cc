#include "server/domain/holdings.h"

#include "common/base/held_artifacts.h"
#include "gmock/gmock.h"
#include "server/domain/locality.h"

namespace potok::server {
namespace {

using ::testing::ElementsAre;
using ::testing::Le;
using ::testing::SizeIs;

constexpr std::int64_t kMib = std::int64_t{1} << 20;

Artifact Files(int number, std::int64_t bytes = 2 * kMib) {
  return {DigestOf("files " + std::to_string(number)), true, bytes, ""};
}

WantedFiles Wanting(std::vector<Artifact> files) {
  WantedFiles wanted;
  for (const Artifact& artifact : files) wanted.total_bytes += artifact.total_bytes;
  wanted.large = std::move(files);
  return wanted;
}

TEST(HoldingsTest, RemembersWhoHoldsWhat) {
  Holdings holdings;
  EXPECT_TRUE(holdings.empty());
  holdings.Note(3, Files(1));
  holdings.Note(2, Files(1));
  holdings.Note(2, Files(2, 5 * kMib));
  EXPECT_THAT(*holdings.HoldersOf(Files(1).digest), ElementsAre(2, 3));
  EXPECT_EQ(holdings.CountOn(2), 2U);
  EXPECT_EQ(holdings.BytesOn(2), 7 * kMib);
  EXPECT_FALSE(holdings.Holds(3, Files(2).digest));
  EXPECT_EQ(holdings.HoldersOf(Files(3).digest), nullptr);
}

TEST(HoldingsTest, WhatIsSoonFetchedIsNotRemembered) {
  Holdings holdings;
  holdings.Note(1, Files(1, kHeldArtifactBytesMin - 1));
  EXPECT_TRUE(holdings.empty());
}

TEST(HoldingsTest, ForgetsTheLeastRecentlyUsedWhenThereAreTooMany) {
  Holdings holdings;
  holdings.Note(1, Files(-1));
  for (int i = 0; i < static_cast<int>(kHeldArtifactsMax) - 1; ++i) holdings.Note(1, Files(i));
  holdings.Note(1, Files(-1));
  holdings.Note(1, Files(1000));
  EXPECT_EQ(holdings.CountOn(1), kHeldArtifactsMax);
  EXPECT_FALSE(holdings.Holds(1, Files(0).digest));
  EXPECT_TRUE(holdings.Holds(1, Files(-1).digest)) << "it was used again";
  EXPECT_EQ(holdings.BytesOn(1), static_cast<std::int64_t>(kHeldArtifactsMax) * 2 * kMib);
}

TEST(HoldingsTest, HoldsNoMoreThanTheCacheOfTheMachineMay) {
  Holdings holdings;
  holdings.Limit(1, 5 * kMib);
  for (int i = 0; i < 3; ++i) holdings.Note(1, Files(i));
  EXPECT_EQ(holdings.BytesOn(1), 4 * kMib);
  EXPECT_FALSE(holdings.Holds(1, Files(0).digest));
  holdings.Limit(1, 2 * kMib);
  EXPECT_EQ(holdings.CountOn(1), 1U);
}

TEST(HoldingsTest, ForgetsAMachineWhole) {
  Holdings holdings;
  holdings.Note(1, Files(1));
  holdings.Note(2, Files(1));
  holdings.Forget(1);
  holdings.Forget(7);
  EXPECT_THAT(*holdings.HoldersOf(Files(1).digest), ElementsAre(2));
  holdings.Forget(2);
  EXPECT_TRUE(holdings.empty());
  holdings.Note(1, Files(5));
  EXPECT_TRUE(holdings.Holds(1, Files(5).digest)) << "numbers are used again";
}

TEST(LocalityTest, ThoseThatHoldTheMostComeFirst) {
  Holdings holdings;
  holdings.Note(1, Files(1, 3 * kMib));
  holdings.Note(2, Files(2, 2 * kMib));
  holdings.Note(3, Files(1, 3 * kMib));
  holdings.Note(3, Files(2, 2 * kMib));
  const WantedFiles files = Wanting({Files(1, 3 * kMib), Files(2, 2 * kMib)});
  EXPECT_THAT(SomeHolders(holdings, files, 1), ElementsAre(3, 1, 2));
  EXPECT_EQ(HeldBytes(holdings, files, 3), 5 * kMib);
}

TEST(LocalityTest, LooksAtFewHoldersOfWhatEverybodyHolds) {
  Holdings holdings;
  for (MachineId machine = 1; machine <= 1000; ++machine) holdings.Note(machine, Files(1));
  const std::vector<MachineId> some = SomeHolders(holdings, Wanting({Files(1)}), 997);
  EXPECT_THAT(some, SizeIs(Le(32U)));
  EXPECT_EQ(some.front(), 997U);
  EXPECT_EQ(some.at(4), 1U) << "from the beginning again";
}

// 256 MiB in a second. A step of 8 GPUs that waits 50 s for its inputs and runs for an hour at most
// idles 400 GPU seconds: as much as 111 thousandths of a GPU that nobody can use for that hour.
TEST(LocalityTest, AStepMayLoseAsMuchAsItsGpusWouldIdle) {
  constexpr std::int64_t kBytes = 50 * 256 * kMib;
  EXPECT_EQ(LossWorth(kBytes, 8000, absl::Hours(1)), 111);
  EXPECT_EQ(LossWorth(kBytes, 8000, absl::InfiniteDuration()), 4) << "a day, without a limit";
  EXPECT_EQ(LossWorth(kBytes, 8000, absl::Seconds(10)), 800) << "at most a tenth of what it holds";
  EXPECT_EQ(LossWorth(kBytes, 0, absl::Hours(1)), 0) << "it holds no GPUs";
  EXPECT_EQ(LossWorth(0, 8000, absl::ZeroDuration()), 0);
}

}  // namespace
}  // namespace potok::server
