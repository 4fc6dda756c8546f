#include "common/cas/blob_store.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "tests/common/cas/cas_testing.h"

namespace potok {
namespace {

namespace fs = std::filesystem;

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Digest PutText(BlobStore& store, const std::string& text) {
  const Digest digest = DigestOf(text);
  const absl::Status put = store.Put(digest, text);
  EXPECT_TRUE(put.ok()) << put;
  return digest;
}

bool NothingIsBeingWritten(const std::string& root) {
  return fs::is_empty(root + "/uploads");
}

// The disk may write down a use; here time has to be set by hand to make uses differ.
void UsedAt(const std::string& path, std::time_t seconds) {
  const timespec times[2] = {{.tv_sec = seconds, .tv_nsec = 0},
                             {.tv_sec = 0, .tv_nsec = UTIME_OMIT}};
  ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
}

class BlobStoreTest : public testing::Test {
 protected:
  TemporaryFolder folder_;
  const std::string root_ = folder_ / "store";
};

TEST_F(BlobStoreTest, GivesBackWhatWasPut) {
  const auto store = OpenStore(root_);
  const Digest digest = PutText(*store, "hello");
  EXPECT_EQ(*store->Read(digest), "hello");
  EXPECT_EQ(ReadFile(*store->PathOf(digest)), "hello");
  EXPECT_THAT(store->Missing({digest, DigestOf("other")}), ElementsAre(DigestOf("other")));
  EXPECT_TRUE(NothingIsBeingWritten(root_));
}

TEST_F(BlobStoreTest, KeepsBlobsOverARestart) {
  const Digest digest = PutText(*OpenStore(root_), "hello");
  EXPECT_EQ(*OpenStore(root_)->Read(digest), "hello");
}

TEST_F(BlobStoreTest, SyncedBlobsAreReadLikeOthers) {
  auto store = BlobStore::Open({.root = root_, .durable = true, .bytes_max = 0});
  ASSERT_TRUE(store.ok()) << store.status();
  std::vector<std::pair<Digest, std::string>> blobs;
  for (int i = 0; i < 20; ++i) blobs.emplace_back(DigestOf(std::to_string(i)), std::to_string(i));
  ASSERT_TRUE((*store)->PutAll(blobs).ok());
  for (const auto& [digest, bytes] : blobs) EXPECT_EQ(*(*store)->Read(digest), bytes);
  EXPECT_TRUE(NothingIsBeingWritten(root_));
}

TEST_F(BlobStoreTest, TakesMoreBlobsAtOnceThanThereAreDescriptors) {
  const auto store = OpenStore(root_);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few{64, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  std::vector<std::pair<Digest, std::string>> blobs;
  for (int i = 0; i < 200; ++i) blobs.emplace_back(DigestOf(std::to_string(i)), std::to_string(i));
  const absl::Status put = store->PutAll(blobs);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(put.ok()) << put;
}

TEST_F(BlobStoreTest, AlwaysHasTheEmptyBlob) {
  const auto store = OpenStore(root_);
  EXPECT_THAT(store->Missing({DigestOf("")}), IsEmpty());
  EXPECT_EQ(*store->Read(DigestOf("")), "");
}

TEST_F(BlobStoreTest, RefusesBytesOfAnotherDigest) {
  const auto store = OpenStore(root_);
  WriteFile(folder_ / "file", "hullo");
  EXPECT_TRUE(absl::IsDataLoss(store->Put(DigestOf("hello"), "hullo")));
  EXPECT_TRUE(absl::IsDataLoss(store->PutFile(DigestOf("hello"), folder_ / "file")));
  EXPECT_FALSE(store->Contains(DigestOf("hello")));
  EXPECT_TRUE(NothingIsBeingWritten(root_));
}

TEST_F(BlobStoreTest, CopiesAFileAndLeavesItAlone) {
  const auto store = OpenStore(root_);
  WriteFile(folder_ / "file", "hello");
  ASSERT_TRUE(store->PutFile(DigestOf("hello"), folder_ / "file").ok());
  WriteFile(folder_ / "file", "changed");
  EXPECT_EQ(*store->Read(DigestOf("hello")), "hello");
}

absl::Time ChangeOf(const std::string& path) {
  struct stat file {};
  EXPECT_EQ(stat(path.c_str(), &file), 0);
  return absl::TimeFromTimespec(file.st_ctim);
}

TEST_F(BlobStoreTest, AdoptsAFileWithoutCopyingIt) {
  const auto store = OpenStore(root_);
  const std::string path = folder_ / "made";
  WriteFile(path, "made by a step");
  const Digest digest = DigestOf("made by a step");
  const absl::Status adopted = store->Adopt(digest, path, ChangeOf(path));
  ASSERT_TRUE(adopted.ok()) << adopted;
  EXPECT_EQ(*store->Read(digest), "made by a step");
  EXPECT_TRUE(fs::equivalent(path, *store->PathOf(digest)));
  EXPECT_TRUE(NothingIsBeingWritten(root_));
  fs::remove(path);
  EXPECT_TRUE(store->Contains(digest));
  EXPECT_TRUE(store->Adopt(digest, path, absl::InfinitePast()).ok()) << "it is there already";
}

TEST_F(BlobStoreTest, DoesNotAdoptWhatWasChangedSinceItWasHashed) {
  const auto store = OpenStore(root_);
  const std::string path = folder_ / "made";
  WriteFile(path, "made by a step");
  const Digest digest = DigestOf("made by a step");
  struct stat before {};
  ASSERT_EQ(stat(path.c_str(), &before), 0);
  const absl::Time changed = ChangeOf(path);
  // Of the same size, and as old as before.
  while (ChangeOf(path) == changed) WriteFile(path, "made by a cat!");
  const timespec times[2] = {before.st_atim, before.st_mtim};
  ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  EXPECT_TRUE(absl::IsFailedPrecondition(store->Adopt(digest, path, changed)));
  fs::remove(path);
  fs::create_symlink("elsewhere", path);
  EXPECT_FALSE(store->Adopt(digest, path, changed).ok());
  EXPECT_FALSE(store->Contains(digest));
  EXPECT_TRUE(NothingIsBeingWritten(root_));
}

TEST_F(BlobStoreTest, SaysWhichBlobIsNotThere) {
  const auto path = OpenStore(root_)->PathOf(DigestOf("x"));
  EXPECT_TRUE(absl::IsNotFound(path.status()));
  EXPECT_THAT(std::string(path.status().message()), HasSubstr(DigestOf("x").Hex()));
}

TEST_F(BlobStoreTest, DropsABlobThatWasWrittenThroughALink) {
  const auto store = OpenStore(root_);
  const Digest digest = PutText(*store, "hello");
  fs::create_hard_link(*store->PathOf(digest), folder_ / "link");
  ASSERT_EQ(chmod((folder_ / "link").c_str(), 0644), 0);
  WriteFile(folder_ / "link", "hullo");
  EXPECT_FALSE(store->Contains(digest));
  PutText(*store, "hello");
  EXPECT_EQ(*store->Read(digest), "hello");
  EXPECT_EQ(ReadFile(folder_ / "link"), "hullo");
}

TEST_F(BlobStoreTest, NoticesOverARestartThatABlobWasWritten) {
  const Digest digest = PutText(*OpenStore(root_), "hello");
  const std::string path = *OpenStore(root_)->PathOf(digest);
  ASSERT_EQ(chmod(path.c_str(), 0644), 0);
  WriteFile(path, "hullo");
  ASSERT_EQ(chmod(path.c_str(), 0444), 0);
  EXPECT_THAT(OpenStore(root_)->Missing({digest}), ElementsAre(digest));
}

TEST_F(BlobStoreTest, PartsFromALinkThatWasOnlyTouched) {
  const auto store = OpenStore(root_);
  const Digest digest = PutText(*store, "hello");
  fs::create_hard_link(*store->PathOf(digest), folder_ / "link");
  ASSERT_EQ(chmod((folder_ / "link").c_str(), 0755), 0);
  EXPECT_TRUE(store->Contains(digest));
  EXPECT_FALSE(fs::equivalent(*store->PathOf(digest), folder_ / "link"));
}

TEST_F(BlobStoreTest, EvictsWhatWasNotUsedForLongest) {
  const auto store = OpenStore(root_, 35);
  const Digest a = PutText(*store, "aaaaaaaaaa");
  const Digest b = PutText(*store, "bbbbbbbbbb");
  const Digest c = PutText(*store, "cccccccccc");
  EXPECT_TRUE(store->Contains(a));
  const Digest d = PutText(*store, "dddddddddd");
  EXPECT_THAT(store->Missing({a, b, c, d}), ElementsAre(b));
}

TEST_F(BlobStoreTest, RemembersUsesOverARestart) {
  std::vector<Digest> digests;
  {
    const auto store = OpenStore(root_, 100);
    for (const char* text : {"aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc"}) {
      digests.push_back(PutText(*store, text));
    }
    UsedAt(*store->PathOf(digests[0]), 3000);
    UsedAt(*store->PathOf(digests[1]), 1000);
    UsedAt(*store->PathOf(digests[2]), 2000);
  }
  const auto store = OpenStore(root_, 25);
  EXPECT_THAT(store->Missing(digests), ElementsAre(digests[1]));
}

TEST_F(BlobStoreTest, DoesNotEvictWhatIsPinned) {
  const auto store = OpenStore(root_, 25);
  const Digest a = PutText(*store, "aaaaaaaaaa");
  const Digest b = DigestOf("bbbbbbbbbb");
  {
    const BlobStore::Pin pin = store->PinAll({a, b});
    PutText(*store, "bbbbbbbbbb");
    PutText(*store, "cccccccccc");
    PutText(*store, "dddddddddd");
    EXPECT_THAT(store->Missing({a, b}), IsEmpty());
  }
  EXPECT_EQ(store->Missing({a, b, DigestOf("dddddddddd")}).size(), 1U);
}

TEST_F(BlobStoreTest, KeepsABlobThatAloneIsTooLargeUntilTheNext) {
  const auto store = OpenStore(root_, 5);
  const Digest large = PutText(*store, "0123456789");
  EXPECT_TRUE(store->Contains(large));
  PutText(*store, "next");
  EXPECT_FALSE(store->Contains(large));
}

TEST_F(BlobStoreTest, ResumesAnUploadAfterARestart) {
  const std::string bytes = Noise(100'000, 7);
  const Digest digest = DigestOf(bytes);
  {
    const auto store = OpenStore(root_);
    const auto upload = store->BeginUpload("some-id", digest);
    ASSERT_TRUE(upload.ok()) << upload.status();
    ASSERT_TRUE((*upload)->Append(0, bytes.substr(0, 60'000)).ok());
  }
  const auto store = OpenStore(root_);
  EXPECT_EQ(store->UploadedBytes("some-id", digest), 60'000);
  {
    const auto upload = store->BeginUpload("some-id", digest);
    ASSERT_TRUE(upload.ok()) << upload.status();
    ASSERT_EQ((*upload)->committed_bytes(), 60'000);
    EXPECT_TRUE(absl::IsOutOfRange((*upload)->Append(0, bytes)));
    ASSERT_TRUE((*upload)->Append(60'000, bytes.substr(60'000)).ok());
    ASSERT_TRUE((*upload)->Finish().ok());
  }
  EXPECT_EQ(*store->Read(digest), bytes);
  EXPECT_TRUE(NothingIsBeingWritten(root_));
}

TEST_F(BlobStoreTest, LetsOnlyOneWriteAnUpload) {
  const auto store = OpenStore(root_);
  {
    const auto first = store->BeginUpload("id", DigestOf("hello"));
    ASSERT_TRUE(first.ok());
    EXPECT_TRUE(absl::IsAborted(store->BeginUpload("id", DigestOf("hello")).status()));
    EXPECT_TRUE(store->BeginUpload("id2", DigestOf("hello")).ok());
  }
  EXPECT_TRUE(store->BeginUpload("id", DigestOf("hello")).ok());
}

TEST_F(BlobStoreTest, ForgetsAnUploadOfWrongBytes) {
  const auto store = OpenStore(root_);
  for (const char* bytes : {"hullo", "hell", "hello and more"}) {
    const auto upload = store->BeginUpload("id", DigestOf("hello"));
    ASSERT_TRUE(upload.ok());
    absl::Status ended = (*upload)->Append(0, bytes);
    if (ended.ok()) ended = (*upload)->Finish();
    EXPECT_TRUE(absl::IsDataLoss(ended)) << bytes << ": " << ended;
    EXPECT_TRUE(NothingIsBeingWritten(root_)) << bytes;
    EXPECT_TRUE(absl::IsFailedPrecondition((*upload)->Finish()));
  }
  EXPECT_FALSE(store->Contains(DigestOf("hello")));
}

TEST_F(BlobStoreTest, RefusesHostileUploadIds) {
  const auto store = OpenStore(root_);
  for (const std::string id : {"", "..", "../x", "a/b", ".new-x", "a b", "\xC3\xBC"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(store->BeginUpload(id, DigestOf("x")).status())) << id;
    EXPECT_EQ(store->UploadedBytes(id, DigestOf("x")), 0) << id;
  }
  EXPECT_FALSE(store->BeginUpload(std::string(65, 'a'), DigestOf("x")).ok());
}

TEST_F(BlobStoreTest, RemovesStaleUploadsAndRemainsWhenOpened) {
  const Digest digest = DigestOf("hello");
  {
    const auto store = OpenStore(root_);
    ASSERT_TRUE((*store->BeginUpload("fresh", digest))->Append(0, "he").ok());
    ASSERT_TRUE((*store->BeginUpload("stale", digest))->Append(0, "he").ok());
  }
  for (const auto& entry : fs::directory_iterator(root_ + "/uploads")) {
    if (entry.path().filename().string().rfind("stale", 0) != 0) continue;
    fs::last_write_time(entry, fs::file_time_type::clock::now() - std::chrono::hours(25));
  }
  WriteFile(root_ + "/uploads/.new-remains", "x");
  const auto store = OpenStore(root_);
  EXPECT_EQ(store->UploadedBytes("fresh", digest), 2);
  EXPECT_EQ(store->UploadedBytes("stale", digest), 0);
  EXPECT_FALSE(fs::exists(root_ + "/uploads/.new-remains"));
}

TEST_F(BlobStoreTest, ManyMayStoreTheSameBlobAtOnce) {
  const auto store = OpenStore(root_, 10'000'000);
  const std::string bytes = Noise(300'000, 3);
  std::vector<std::thread> threads;
  std::atomic<int> stored = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] { stored += store->Put(DigestOf(bytes), bytes).ok() ? 1 : 0; });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(stored, 8);
  EXPECT_EQ(*store->Read(DigestOf(bytes)), bytes);
  EXPECT_TRUE(NothingIsBeingWritten(root_));
}

TEST_F(BlobStoreTest, SaysThatItCannotMakeItsFolders) {
  WriteFile(root_, "a file is in the way");
  const auto store = BlobStore::Open({.root = root_, .durable = false, .bytes_max = 0});
  ASSERT_FALSE(store.ok());
  EXPECT_THAT(std::string(store.status().message()), HasSubstr(root_));
}

// A disk of 3 MB for this process; without the right to mount one, a limit on the size of files.
class SmallDisk {
 public:
  explicit SmallDisk(const std::string& path) {
    fs::create_directories(path);
    // In a mount namespace of our own, so that nothing stays mounted whatever happens.
    if (unshare(CLONE_NEWNS) == 0 && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, "") == 0 &&
        mount("tmpfs", path.c_str(), "tmpfs", 0, "size=3m") == 0) {
      mounted_ = path;
      return;
    }
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit small{2'000'000, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
  }
  ~SmallDisk() {
    if (mounted_.empty()) {
      setrlimit(RLIMIT_FSIZE, &before_);
    } else {
      umount2(mounted_.c_str(), MNT_DETACH);
    }
  }

 private:
  std::string mounted_;
  rlimit before_{};
};

TEST_F(BlobStoreTest, LeavesNothingHalfWrittenOnAFullDisk) {
  const SmallDisk disk(root_);
  const auto store = OpenStore(root_);
  const std::string bytes = Noise(5'000'000, 4);
  WriteFile(folder_ / "file", bytes.substr(0, 1'900'000));
  const absl::Status put = store->Put(DigestOf(bytes), bytes);
  EXPECT_TRUE(absl::IsResourceExhausted(put)) << put;
  EXPECT_THAT(std::string(put.message()), HasSubstr(root_));
  EXPECT_THAT(std::string(put.message()), HasSubstr("5000000 bytes"));
  EXPECT_TRUE(NothingIsBeingWritten(root_));

  const auto upload = store->BeginUpload("id", DigestOf(bytes));
  ASSERT_TRUE(upload.ok());
  EXPECT_TRUE(absl::IsResourceExhausted((*upload)->Append(0, bytes)));
  EXPECT_TRUE(NothingIsBeingWritten(root_));

  const std::string fits = bytes.substr(0, 1'000'000);
  EXPECT_TRUE(store->Put(DigestOf(fits), fits).ok());
  EXPECT_EQ(*store->Read(DigestOf(fits)), fits);
}

}  // namespace
}  // namespace potok
