// Large files and many files through the real client and the real services. Sizes fit for CI;
// POTOK_LARGE=1 takes those that are done by hand (10 GB, 100,000 files), and prints time and
// memory.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "absl/time/clock.h"
#include "common/cas/cas_client.h"
#include "common/cas/tree.h"
#include "fmt/format.h"
#include "tests/common/cas/cas_server.h"
#include "tests/common/cas/cas_testing.h"

namespace potok {
namespace {

namespace fs = std::filesystem;

bool ByHand() {
  return std::getenv("POTOK_LARGE") != nullptr;
}

std::int64_t PeakBytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return std::int64_t{usage.ru_maxrss} * 1024;
}

std::int64_t BytesOnDisk(const std::string& path) {
  struct stat file {};
  EXPECT_EQ(stat(path.c_str(), &file), 0) << path;
  return std::int64_t{file.st_blocks} * 512;
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Prints what it took since it was made or last asked.
class Stopwatch {
 public:
  void Say(const std::string& what) {
    const absl::Time now = absl::Now();
    std::printf("  %-10s %8.2f s, %6.2f s of CPU in both ends, peak %lld MiB\n",
                what.c_str(),
                absl::ToDoubleSeconds(now - since_),
                CpuSeconds() - cpu_since_,
                static_cast<long long>(PeakBytes() >> 20));
    since_ = absl::Now();
    cpu_since_ = CpuSeconds();
  }

 private:
  absl::Time since_ = absl::Now();
  double cpu_since_ = CpuSeconds();
};

class LargeTest : public testing::Test {
 protected:
  static std::unique_ptr<BlobStore> Durable(const std::string& root) {
    return *BlobStore::Open({.root = root});
  }
  // Snapshot, upload, fetch by way of a cache as an agent does, and without one as the client does.
  void Move(const Snapshot& snapshot, const std::string& name) {
    Stopwatch stopwatch;
    const absl::Status uploaded = client_.Upload(snapshot);
    ASSERT_TRUE(uploaded.ok()) << uploaded;
    stopwatch.Say("upload");
    const auto cache = OpenStore(folder_ / name + ".cache");
    const absl::Status staged =
        client_.Fetch(snapshot.artifact, folder_ / name + ".staged", cache.get(), Placing::kLink);
    ASSERT_TRUE(staged.ok()) << staged;
    stopwatch.Say("stage");
    const absl::Status fetched =
        client_.Fetch(snapshot.artifact, folder_ / name + ".out", nullptr, Placing::kCopy);
    ASSERT_TRUE(fetched.ok()) << fetched;
    stopwatch.Say("download");
  }

  TemporaryFolder folder_;
  std::unique_ptr<BlobStore> store_ = Durable(folder_ / "store");
  CasServer server_{*store_, folder_ / "socket"};
  CasClient client_{ChannelTo(server_.address())};
};

TEST_F(LargeTest, ASparseFileTakesNeitherMemoryNorDisk) {
  const std::int64_t size = (ByHand() ? std::int64_t{10} : std::int64_t{1}) << 30;
  const std::string path = folder_ / "sparse";
  WriteFile(path, "begin");
  ASSERT_EQ(truncate(path.c_str(), size - 3), 0);
  {
    const int fd = open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
    ASSERT_EQ(write(fd, "end", 3), 3);
    close(fd);
  }
  Stopwatch stopwatch;
  const auto snapshot = SnapshotFile(path);
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  stopwatch.Say("hash");
  Move(*snapshot, "sparse");
  EXPECT_LT(PeakBytes(), std::int64_t{600} << 20);
  EXPECT_LT(BytesOnDisk(*store_->PathOf(snapshot->artifact.digest)), std::int64_t{16} << 20);
  for (const char* laid : {"sparse.staged", "sparse.out"}) {
    EXPECT_EQ(fs::file_size(folder_ / laid), static_cast<std::uintmax_t>(size));
    EXPECT_LT(BytesOnDisk(folder_ / laid), std::int64_t{16} << 20) << laid;
  }
}

TEST_F(LargeTest, AFileWithoutHoles) {
  const int count = ByHand() ? 10 : 1;
  const std::string path = folder_ / "full";
  std::FILE* file = std::fopen(path.c_str(), "wbe");
  ASSERT_NE(file, nullptr);
  for (int i = 0; i < count; ++i) {
    const std::string part = Noise(std::size_t{100} << 20, static_cast<unsigned>(i));
    ASSERT_EQ(std::fwrite(part.data(), 1, part.size(), file), part.size());
  }
  ASSERT_EQ(std::fclose(file), 0);
  Stopwatch stopwatch;
  const auto snapshot = SnapshotFile(path);
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  stopwatch.Say("hash");
  Move(*snapshot, "full");
  EXPECT_EQ(SnapshotFile(folder_ / "full.out")->artifact.digest, snapshot->artifact.digest);
}

TEST_F(LargeTest, ManySmallFiles) {
  const char* files = std::getenv("POTOK_LARGE_FILES");
  const int count = files != nullptr ? std::atoi(files) : ByHand() ? 100'000 : 2'000;
  for (int i = 0; i < count; ++i) {
    WriteFile(folder_ / fmt::format("in/{}/{}", i % 100, i), Noise(4096, static_cast<unsigned>(i)));
  }
  Stopwatch stopwatch;
  const auto snapshot = SnapshotFolder(folder_ / "in", {});
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  stopwatch.Say("hash");
  Move(*snapshot, "in");
  EXPECT_EQ(SnapshotFolder(folder_ / "in.out", {})->artifact.digest, snapshot->artifact.digest);
  EXPECT_EQ(SnapshotFolder(folder_ / "in.staged", {})->artifact.digest, snapshot->artifact.digest);
}

}  // namespace
}  // namespace potok
