#include "server/logs/log_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <future>
#include <thread>

namespace potok::server {
namespace {

class LogStoreTest : public ::testing::Test {
 protected:
  LogStoreTest() {
    std::string pattern = "/tmp/potok-logs-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    Reopen();
  }
  ~LogStoreTest() override { std::filesystem::remove_all(folder_); }
  void Reopen() {
    auto opened = LogStore::Open(folder_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    logs_ = *std::move(opened);
  }

  absl::StatusOr<std::string> ReadLog(const AttemptKey& key, std::int64_t offset, std::size_t max) {
    return logs_->ReaderOf(key).Read(offset, max);
  }

  std::string folder_;
  std::unique_ptr<LogStore> logs_;
  const AttemptKey key_{7, 3, 1};
};

TEST_F(LogStoreTest, KeepsBytesOnceWhenAChunkIsSentTwice) {
  ASSERT_TRUE(logs_->Append(key_, 0, "hello ").ok());
  ASSERT_TRUE(logs_->Append(key_, 0, "hello ").ok());
  EXPECT_EQ(*logs_->Append(key_, 3, "lo world"), 11);
  EXPECT_EQ(*ReadLog(key_, 0, 100), "hello world");
}

TEST_F(LogStoreTest, RefusesAGapAndNamesWhereToResume) {
  ASSERT_TRUE(logs_->Append(key_, 0, "abc").ok());
  const auto status = logs_->Append(key_, 5, "x").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("resume at 3"));
  EXPECT_EQ(*ReadLog(key_, 0, 100), "abc");
}

TEST_F(LogStoreTest, GoesOnWhereItWasAfterARestart) {
  ASSERT_TRUE(logs_->Append(key_, 0, std::string("a\0b", 3)).ok());
  Reopen();
  EXPECT_EQ(logs_->SizeOf(key_), 3);
  ASSERT_TRUE(logs_->Append(key_, 3, "c").ok());
  EXPECT_EQ(*ReadLog(key_, 0, 100), std::string("a\0bc", 4));
}

TEST_F(LogStoreTest, RemovesTheLogsOfARun) {
  const AttemptKey second{7, 4, 2};
  const AttemptKey other{8, 0, 1};
  for (const AttemptKey& key : {key_, second, other}) {
    ASSERT_TRUE(logs_->Append(key, 0, "abc").ok());
  }
  logs_->Finish(key_, 3);
  EXPECT_THAT(*logs_->Runs(), ::testing::ElementsAre(7, 8));
  const std::int64_t bytes = *logs_->BytesOf(7);
  EXPECT_GE(bytes, 6);
  EXPECT_EQ(*logs_->Remove(7), bytes);
  EXPECT_THAT(*logs_->Runs(), ::testing::ElementsAre(8));
  EXPECT_EQ(*logs_->BytesOf(7), 0);
  EXPECT_EQ(*logs_->Remove(7), 0);
  EXPECT_EQ(*ReadLog(other, 0, 100), "abc");
}

TEST_F(LogStoreTest, TakesLogsAgainThatAnAgentBringsAfterTheirRemoval) {
  ASSERT_TRUE(logs_->Append(key_, 0, "abc").ok());
  logs_->Finish(key_, 3);
  ASSERT_TRUE(logs_->Remove(7).ok());
  EXPECT_EQ(*logs_->Append(key_, 0, "late"), 4);
  EXPECT_EQ(*ReadLog(key_, 0, 100), "late");
}

TEST_F(LogStoreTest, EndsARemovalThatTheLastServerBegan) {
  ASSERT_TRUE(logs_->Append(key_, 0, "abc").ok());
  logs_.reset();
  std::filesystem::rename(folder_ + "/7", folder_ + "/.gone-7");
  Reopen();
  logs_->AwaitPacked();
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(LogStoreTest, ReadsARangeAndNothingBeyondTheEnd) {
  ASSERT_TRUE(logs_->Append(key_, 0, "0123456789").ok());
  EXPECT_EQ(*ReadLog(key_, 4, 3), "456");
  EXPECT_EQ(*ReadLog(key_, 10, 3), "");
  EXPECT_EQ(*ReadLog({7, 4, 1}, 0, 3), "");
}

TEST_F(LogStoreTest, TellsAWaiterWhenMoreArrives) {
  ASSERT_TRUE(logs_->Append(key_, 0, "abc").ok());
  int told = 0;
  logs_->NotifyBeyond(key_, 3, [&] { ++told; });
  EXPECT_EQ(told, 0);
  ASSERT_TRUE(logs_->Append(key_, 3, "d").ok());
  ASSERT_TRUE(logs_->Append(key_, 4, "e").ok());
  EXPECT_EQ(told, 1);
}

TEST_F(LogStoreTest, TellsAWaiterAtOnceWhenThereIsMoreAlready) {
  ASSERT_TRUE(logs_->Append(key_, 0, "abc").ok());
  int told = 0;
  logs_->NotifyBeyond(key_, 2, [&] { ++told; });
  EXPECT_EQ(told, 1);
}

TEST_F(LogStoreTest, TellsAWaiterOfTheEndOnlyWhenAllBytesAreThere) {
  int told = 0;
  logs_->NotifyBeyond(key_, 3, [&] { ++told; });
  logs_->Finish(key_, 3);
  EXPECT_EQ(told, 0);
  EXPECT_FALSE(logs_->IsComplete(key_));
  ASSERT_TRUE(logs_->Append(key_, 0, "abc").ok());
  EXPECT_EQ(told, 1);
  EXPECT_TRUE(logs_->IsComplete(key_));
}

TEST_F(LogStoreTest, DoesNotTellAWaiterThatCanceled) {
  int told = 0;
  const auto number = logs_->NotifyBeyond(key_, 0, [&] { ++told; });
  logs_->CancelNotify(key_, number);
  ASSERT_TRUE(logs_->Append(key_, 0, "abc").ok());
  EXPECT_EQ(told, 0);
}

// Every look at a run made an entry for each of its steps that was never forgotten, and from 20,000
// on each new attempt went through all of them: after 120,000 steps the server was four times
// slower.
TEST_F(LogStoreTest, RemembersABoundedNumberOfLogs) {
  for (std::uint32_t index = 0; index < 1000; ++index) {
    EXPECT_EQ(logs_->SizeOf({8, index, 1}), 0);
    EXPECT_FALSE(logs_->KnowsEnd({8, index, 1}));
    EXPECT_FALSE(logs_->IsComplete({8, index, 1}));
  }
  EXPECT_EQ(logs_->remembered(), 0U);
  for (std::uint32_t index = 0; index < 50'000; ++index) logs_->Finish({9, index, 1}, 0);
  EXPECT_LE(logs_->remembered(), 20'000U);
  EXPECT_TRUE(logs_->IsComplete({9, 49'999, 1}));
  // One that somebody waits for is not forgotten.
  bool arrived = false;
  logs_->NotifyBeyond(key_, 0, [&] { arrived = true; });
  for (std::uint32_t index = 0; index < 50'000; ++index) logs_->Finish({10, index, 1}, 0);
  ASSERT_TRUE(logs_->Append(key_, 0, "x").ok());
  EXPECT_TRUE(arrived);
}

// Of so many that are written at once not all files stay open.
TEST_F(LogStoreTest, WritesMoreLogsThanItHasFilesOpen) {
  for (int round = 0; round < 3; ++round) {
    for (std::uint32_t index = 0; index < 300; ++index) {
      ASSERT_TRUE(logs_->Append({7, index, 1}, round * 2, "a\n").ok());
    }
  }
  for (std::uint32_t index = 0; index < 300; ++index)
    EXPECT_EQ(*ReadLog({7, index, 1}, 0, 9), "a\na\na\n");
}

// Ends of streams and readers of them, as the threads of gRPC are.
TEST_F(LogStoreTest, IsWrittenAndFollowedByManyThreads) {
  constexpr std::uint32_t kThreads = 3;
  constexpr std::int64_t kBytes = 200;
  std::vector<std::thread> threads;
  for (std::uint32_t index = 0; index < kThreads; ++index) {
    const AttemptKey key{7, index, 1};
    threads.emplace_back([&, key] {
      for (std::int64_t i = 0; i < kBytes; ++i) EXPECT_TRUE(logs_->Append(key, i, "x").ok());
      logs_->Finish(key, kBytes);
    });
    threads.emplace_back([&, key] {
      std::int64_t read = 0;
      while (!logs_->IsComplete(key) || read < kBytes) {
        std::promise<void> arrived;
        const auto number = logs_->NotifyBeyond(key, read, [&] { arrived.set_value(); });
        arrived.get_future().wait();
        logs_->CancelNotify(key, number);
        read += static_cast<std::int64_t>(logs_->ReaderOf(key).Read(read, 1000)->size());
      }
      EXPECT_EQ(read, kBytes);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace potok::server
