#include "server/logs/packed_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/logs/log_store.h"
#include "tests/server/logs/log_folder.h"

namespace potok::server {
namespace {

using ::testing::HasSubstr;

bool Never() {
  return false;
}

std::string AllOf(PackedLog& log) {
  std::string all;
  while (true) {
    const absl::StatusOr<std::string> part =
        log.Read(static_cast<std::int64_t>(all.size()), 100'000);
    EXPECT_TRUE(part.ok()) << part.status();
    if (!part.ok() || part->empty()) return all;
    all += *part;
  }
}

class PackedLogTest : public ::testing::Test {
 protected:
  std::string Pack(const std::string& log) {
    WriteBytes(folder_ / "log", log);
    const absl::Status status = PackLog(folder_ / "log", folder_ / "packed", Never);
    EXPECT_TRUE(status.ok()) << status;
    return folder_ / "packed";
  }

  LogFolder folder_;
};

TEST_F(PackedLogTest, GivesBackEveryByteFromAnyOffset) {
  std::string log = NumberedLines(100'000);
  for (int byte = 0; byte < 256; ++byte) log += static_cast<char>(byte);
  absl::StatusOr<PackedLog> packed = PackedLog::Open(Pack(log));
  ASSERT_TRUE(packed.ok()) << packed.status();
  EXPECT_EQ(packed->size(), static_cast<std::int64_t>(log.size()));
  EXPECT_EQ(AllOf(*packed), log);
  for (const std::size_t at :
       {std::size_t{0}, std::size_t{262'143}, std::size_t{262'144}, log.size() - 1}) {
    EXPECT_EQ(packed->Read(static_cast<std::int64_t>(at), 1)->front(), log[at]);
  }
  EXPECT_EQ(*packed->Read(packed->size(), 10), "");
  EXPECT_LT(std::filesystem::file_size(folder_ / "packed") * 4, log.size());
}

TEST_F(PackedLogTest, IsReadByZstdItself) {
  const std::string log = NumberedLines(100'000);
  const std::string packed = Pack(log);
  const std::string command = "zstd -dcq " + packed + " > " + (folder_ / "unpacked");
  ASSERT_EQ(std::system(command.c_str()), 0);
  EXPECT_EQ(BytesOf(folder_ / "unpacked"), log);
}

// Whatever is cut off or changed is an error that names the file, never other bytes.
TEST_F(PackedLogTest, SaysWhenItIsDamaged) {
  const std::string log = NumberedLines(2000);
  const std::string whole = BytesOf(Pack(log));
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    WriteBytes(folder_ / "cut", whole.substr(0, cut));
    const absl::Status status = PackedLog::Open(folder_ / "cut").status();
    ASSERT_EQ(status.code(), absl::StatusCode::kDataLoss) << cut;
    ASSERT_THAT(std::string(status.message()), HasSubstr(folder_ / "cut"));
  }
  for (std::size_t at = 0; at < whole.size(); at += 11) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    WriteBytes(folder_ / "damaged", damaged);
    absl::StatusOr<PackedLog> packed = PackedLog::Open(folder_ / "damaged");
    if (!packed.ok()) continue;
    const absl::StatusOr<std::string> bytes = packed->Read(0, log.size());
    ASSERT_TRUE(!bytes.ok() || *bytes == log.substr(0, bytes->size())) << at;
  }
}

TEST_F(PackedLogTest, LeavesNothingWhenItIsStopped) {
  WriteBytes(folder_ / "log", NumberedLines(100'000));
  int frames = 0;
  const absl::Status status =
      PackLog(folder_ / "log", folder_ / "packed", [&] { return ++frames == 3; });
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "packed"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "packed.tmp"));
}

class PackingTest : public ::testing::Test {
 protected:
  void Open() {
    logs_.reset();
    logs_ = *LogStore::Open(folder_.path());
  }
  std::string Read() {
    LogReader reader = logs_->ReaderOf(key_);
    std::string all;
    while (true) {
      const absl::StatusOr<std::string> part =
          reader.Read(static_cast<std::int64_t>(all.size()), 1 << 20);
      EXPECT_TRUE(part.ok()) << part.status();
      if (!part.ok() || part->empty()) return all;
      all += *part;
    }
  }
  std::string File(const std::string& ending) const { return folder_ / ("7/3.1" + ending); }
  bool Exists(const std::string& ending) const { return std::filesystem::exists(File(ending)); }

  LogFolder folder_;
  std::unique_ptr<LogStore> logs_ = *LogStore::Open(folder_.path());
  const AttemptKey key_{7, 3, 1};
  const std::string log_ = NumberedLines(50'000);
  const std::int64_t size_ = static_cast<std::int64_t>(log_.size());
};

TEST_F(PackingTest, PacksAFinishedLogWhileItIsRead) {
  ASSERT_TRUE(logs_->Append(key_, 0, log_).ok());
  LogReader before = logs_->ReaderOf(key_);
  ASSERT_EQ(*before.Read(0, 6), "line 0");
  logs_->Finish(key_, size_);
  logs_->AwaitPacked();
  EXPECT_FALSE(Exists(".log"));
  EXPECT_TRUE(Exists(".log.zst"));
  EXPECT_EQ(*before.Read(size_ - 7, 10), " 49999\n") << "who had it open reads on";
  EXPECT_EQ(Read(), log_);
  LogReader reader = logs_->ReaderOf(key_);
  EXPECT_EQ(log_.substr(static_cast<std::size_t>(*reader.BeginOfLine(33'333)), 10), "line 33333");
  EXPECT_EQ(*reader.BeginOfLast(1), size_ - 11);
  EXPECT_EQ(logs_->SizeOf(key_), size_);
  EXPECT_TRUE(logs_->IsComplete(key_));
}

TEST_F(PackingTest, KnowsAPackedLogAfterARestart) {
  ASSERT_TRUE(logs_->Append(key_, 0, log_).ok());
  logs_->Finish(key_, size_);
  logs_->AwaitPacked();
  Open();
  EXPECT_EQ(logs_->SizeOf(key_), size_);
  EXPECT_EQ(Read(), log_);
  EXPECT_EQ(*logs_->Append(key_, 5, log_.substr(5)), size_) << "sent again, all of it is there";
  EXPECT_EQ(logs_->Append(key_, size_, "more").status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(PackingTest, LeavesASmallLogAsItIs) {
  ASSERT_TRUE(logs_->Append(key_, 0, "small\n").ok());
  logs_->Finish(key_, 6);
  logs_->AwaitPacked();
  EXPECT_TRUE(Exists(".log"));
  EXPECT_FALSE(Exists(".log.zst"));
  EXPECT_FALSE(Exists(".index"));
}

TEST_F(PackingTest, LeavesALogThatIsNotFinished) {
  ASSERT_TRUE(logs_->Append(key_, 0, log_).ok());
  logs_->Finish(key_, size_ + 1);
  logs_->AwaitPacked();
  Open();
  logs_->AwaitPacked();
  EXPECT_TRUE(Exists(".log"));
  ASSERT_TRUE(logs_->Append(key_, size_, "!").ok());
  logs_->Finish(key_, size_ + 1);
  logs_->AwaitPacked();
  EXPECT_EQ(Read(), log_ + "!");
  EXPECT_FALSE(Exists(".log"));
}

// The server may end after each of these: while it packs, before or after the rename, before the
// plain file is gone. All that it leaves is on the disk here.
TEST_F(PackingTest, LosesNothingWhereverItEnds) {
  ASSERT_TRUE(logs_->Append(key_, 0, log_).ok());
  logs_->Finish(key_, size_);
  logs_->AwaitPacked();
  const std::string packed = BytesOf(File(".log.zst"));
  const auto expect_whole = [&] {
    EXPECT_EQ(Read(), log_);
    logs_->AwaitPacked();
    EXPECT_EQ(Read(), log_);
    EXPECT_FALSE(Exists(".log"));
    EXPECT_FALSE(Exists(".log.zst.tmp"));
  };
  for (const std::size_t cut : {std::size_t{0}, packed.size() / 2, packed.size()}) {
    logs_.reset();
    std::filesystem::remove(File(".log.zst"));
    WriteBytes(File(".log"), log_);
    WriteBytes(File(".log.zst.tmp"), packed.substr(0, cut));
    Open();
    expect_whole();
  }
  logs_.reset();
  WriteBytes(File(".log"), log_);
  Open();
  expect_whole();
}

}  // namespace
}  // namespace potok::server
