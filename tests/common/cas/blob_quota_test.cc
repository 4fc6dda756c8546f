// What a store may hold, and what may be taken out of it.
#include "common/cas/blob_quota.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <thread>

#include "absl/time/clock.h"
#include "common/cas/blob_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/common/cas/cas_testing.h"

namespace potok {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class BlobQuotaTest : public testing::Test {
 protected:
  std::unique_ptr<BlobStore> Open(std::int64_t quota_bytes, std::int64_t free_bytes_min = 0) {
    auto store = BlobStore::Open({.root = folder_ / "store",
                                  .durable = false,
                                  .quota_bytes = quota_bytes,
                                  .free_bytes_min = free_bytes_min});
    EXPECT_TRUE(store.ok()) << store.status();
    return *std::move(store);
  }

  static Digest Put(BlobStore& store, const std::string& bytes) {
    const Digest digest = DigestOf(bytes);
    const absl::Status put = store.Put(digest, bytes);
    EXPECT_TRUE(put.ok()) << put;
    return digest;
  }

  static bool NothingIsBeingWritten(const std::string& root) {
    return fs::is_empty(root + "/uploads");
  }

  TemporaryFolder folder_;
};

// As if nobody had asked for it since.
void SetUsed(BlobStore& store, const Digest& digest, absl::Time when) {
  const std::string path = *store.PathOf(digest);
  const timespec times[2] = {absl::ToTimespec(when), {.tv_sec = 0, .tv_nsec = UTIME_OMIT}};
  ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
}

TEST_F(BlobQuotaTest, RefusesWhatDoesNotFitAndSaysWhatToDo) {
  const auto store = Open(1000);
  Put(*store, Noise(700, 1));
  const std::string large = Noise(301, 2);
  const absl::Status refused = store->Put(DigestOf(large), large);
  EXPECT_TRUE(absl::IsResourceExhausted(refused)) << refused;
  EXPECT_THAT(std::string(refused.message()),
              testing::AllOf(HasSubstr("301 B"),
                             HasSubstr("700 B of its quota of 1000 B"),
                             HasSubstr("potok gc"),
                             HasSubstr("--artifacts-quota")));
  EXPECT_TRUE(NothingIsBeingWritten(folder_ / "store"));
  EXPECT_FALSE(store->Contains(DigestOf(large)));
  Put(*store, Noise(300, 3));
  EXPECT_EQ(store->used_bytes(), 1000);
}

TEST_F(BlobQuotaTest, TellsWhyRoomWasRefusedUntilThereIsSome) {
  const auto store = Open(1000);
  const Digest old = Put(*store, Noise(700, 1));
  EXPECT_EQ(store->WhyFull(), "");
  const std::string large = Noise(400, 2);
  EXPECT_FALSE(store->Put(DigestOf(large), large).ok());
  EXPECT_THAT(store->WhyFull(), HasSubstr("no room for 400 B more"));
  Put(*store, Noise(10, 3));
  EXPECT_THAT(store->WhyFull(), HasSubstr("no room for 400 B more")) << "the large one still waits";
  SetUsed(*store, old, absl::Now() - absl::Hours(2));
  EXPECT_TRUE(*store->RemoveUnused(old, absl::Now() - absl::Hours(1)));
  EXPECT_EQ(store->WhyFull(), "");
  Put(*store, large);
}

TEST_F(BlobQuotaTest, CountsABlobOnce) {
  const auto store = Open(1000);
  const std::string bytes = Noise(600, 1);
  Put(*store, bytes);
  Put(*store, bytes);
  EXPECT_TRUE(store->PutAll({{DigestOf(bytes), bytes}, {DigestOf(bytes), bytes}}).ok());
  EXPECT_EQ(store->used_bytes(), 600);
}

TEST_F(BlobQuotaTest, CountsWhatIsThereWhenItIsOpened) {
  Put(*Open(0), Noise(600, 1));
  const auto store = Open(1000);
  EXPECT_EQ(store->used_bytes(), 600);
  const std::string more = Noise(500, 2);
  EXPECT_TRUE(absl::IsResourceExhausted(store->Put(DigestOf(more), more)));
}

TEST_F(BlobQuotaTest, CanBeOpenedWhenItIsFull) {
  Put(*Open(0), Noise(600, 1));
  EXPECT_EQ(Open(100)->used_bytes(), 600);
}

TEST_F(BlobQuotaTest, RefusesAnUploadAtItsStartAndKeepsRoomForOneUnderWay) {
  const auto store = Open(1000);
  const std::string bytes = Noise(600, 1);
  auto upload = store->BeginUpload("one", DigestOf(bytes));
  ASSERT_TRUE(upload.ok());
  ASSERT_TRUE((*upload)->Append(0, bytes.substr(0, 100)).ok());

  const std::string other = Noise(500, 2);
  const auto second = store->BeginUpload("two", DigestOf(other));
  EXPECT_TRUE(absl::IsResourceExhausted(second.status()));
  EXPECT_THAT(std::string(second.status().message()), HasSubstr("promised to uploads"));
  EXPECT_TRUE(absl::IsResourceExhausted(store->Put(DigestOf(other), other)));

  ASSERT_TRUE((*upload)->Append(100, bytes.substr(100)).ok());
  EXPECT_TRUE((*upload)->Finish().ok());
  upload->reset();
  EXPECT_EQ(store->used_bytes(), 600);
  Put(*store, Noise(400, 3));
}

TEST_F(BlobQuotaTest, GivesTheRoomOfADroppedUploadBack) {
  const auto store = Open(1000);
  const std::string bytes = Noise(600, 1);
  {
    auto upload = store->BeginUpload("one", DigestOf(bytes));
    ASSERT_TRUE(upload.ok());
    (*upload)->Drop();
  }
  Put(*store, Noise(1000, 2));
}

TEST_F(BlobQuotaTest, StopsAnIntakeThatGrowsTooLarge) {
  const auto store = Open(1000);
  {
    const auto intake = store->BeginIntake();
    ASSERT_TRUE(intake.ok());
    const std::string piece = Noise(600, 1);
    ASSERT_TRUE((*intake)->Append(piece.data(), piece.size()).ok());
    EXPECT_TRUE(absl::IsResourceExhausted((*intake)->Append(piece.data(), piece.size())));
    ASSERT_TRUE((*intake)->Restart().ok());
    ASSERT_TRUE((*intake)->Append(piece.data(), piece.size()).ok());
    EXPECT_TRUE((*intake)->Finish().ok());
  }
  EXPECT_EQ(store->used_bytes(), 600);
}

TEST_F(BlobQuotaTest, NeverHoldsMoreThanItMayHoweverManyWrite) {
  const auto store = Open(10'000);
  std::vector<std::thread> writers;
  for (unsigned i = 0; i < 8; ++i) {
    writers.emplace_back([&store, i] {
      for (unsigned k = 0; k < 20; ++k) {
        const std::string bytes = Noise(500, i * 100 + k);
        store->Put(DigestOf(bytes), bytes).IgnoreError();
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  std::int64_t bytes = 0;
  ASSERT_TRUE(store
                  ->ForEach([&](const Digest& digest) {
                    bytes += digest.size_bytes;
                    return absl::OkStatus();
                  })
                  .ok());
  EXPECT_EQ(bytes, 10'000);
  EXPECT_EQ(store->used_bytes(), bytes);
}

TEST_F(BlobQuotaTest, LeavesTheDiskTheRoomItIsToKeep) {
  const auto store = Open(0, std::int64_t{1} << 60);
  const absl::Status refused = store->Put(DigestOf("bytes"), "bytes");
  EXPECT_TRUE(absl::IsResourceExhausted(refused)) << refused;
  EXPECT_THAT(std::string(refused.message()), HasSubstr("are kept free"));
}

TEST_F(BlobQuotaTest, RemovesOnlyWhatNobodyUsedSince) {
  const auto store = Open(1000);
  const Digest old_one = Put(*store, "old");
  const Digest asked_for = Put(*store, "asked for");
  const Digest fresh = Put(*store, "fresh");
  const absl::Time now = absl::Now();
  SetUsed(*store, old_one, now - absl::Hours(48));
  SetUsed(*store, asked_for, now - absl::Hours(48));
  EXPECT_TRUE(store->Missing({asked_for}).empty());

  const absl::Time before = now - absl::Hours(24);
  EXPECT_TRUE(*store->IsUnused(old_one, before));
  EXPECT_TRUE(fs::exists(folder_ / "store"));
  EXPECT_TRUE(*store->RemoveUnused(old_one, before));
  EXPECT_FALSE(*store->RemoveUnused(old_one, before));
  EXPECT_FALSE(*store->RemoveUnused(asked_for, before));
  EXPECT_FALSE(*store->RemoveUnused(fresh, before));
  EXPECT_EQ(store->used_bytes(), static_cast<std::int64_t>(std::string("asked forfresh").size()));
  EXPECT_EQ(store->Missing({old_one, asked_for, fresh}), std::vector<Digest>{old_one});
}

TEST_F(BlobQuotaTest, ReadsWithoutCountingItAsAUse) {
  const auto store = Open(0);
  const Digest digest = Put(*store, "bytes");
  SetUsed(*store, digest, absl::Now() - absl::Hours(48));
  EXPECT_EQ(*store->ReadUnnoticed(digest), "bytes");
  EXPECT_TRUE(*store->IsUnused(digest, absl::Now() - absl::Hours(24)));
  EXPECT_TRUE(absl::IsNotFound(store->ReadUnnoticed(DigestOf("other")).status()));
}

}  // namespace
}  // namespace potok
