#include "agent/link/log_shipper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "agent/domain/log_limit.h"
#include "agent/link/log_file.h"
#include "agent/link/log_watch.h"
#include "common/rpc/channel.h"
#include "fmt/format.h"
#include "tests/agent/loop/fake_server.h"
#include "tests/agent/loop/fakes.h"

namespace potok::agent {
namespace {

constexpr LogLimit kLimit;

TEST(LogFileTest, CutsALogThatIsTooLongWithAMarkAndKeepsItsEnd) {
  const TempFolder folder;
  const std::string path = folder.path() + "/log";
  WriteText(path, "first");
  std::filesystem::resize_file(path, static_cast<std::uintmax_t>(kLimit.head_bytes) + 7);
  const auto mark = static_cast<std::int64_t>(LogCutMark(kLimit).size());
  LogFile log(path, kLimit);
  EXPECT_EQ(log.Available(), kLimit.head_bytes + mark) << "who follows learns of the cut at once";
  EXPECT_EQ(log.Read(kLimit.head_bytes, 1000), LogCutMark(kLimit));
  const std::int64_t size = kLimit.head_bytes + 5'000'000;
  std::filesystem::resize_file(path, static_cast<std::uintmax_t>(size));
  std::ofstream(path, std::ios::app) << "the error at last";
  EXPECT_EQ(log.Available(), kLimit.head_bytes + mark);
  log.SetTotal(StoredLogOf(size + 17, kLimit).bytes());
  EXPECT_EQ(log.Available(), log.total());
  EXPECT_EQ(log.Read(0, 5), "first");
  EXPECT_EQ(log.Read(kLimit.head_bytes - 3, 100), std::string(3, '\0'));
  const std::string dropped =
      fmt::format("[potok] {} bytes were dropped here; the last {} follow\n",
                  5'000'017 - kLimit.end_bytes,
                  kLimit.end_bytes);
  EXPECT_EQ(log.Read(kLimit.head_bytes, 1000), LogCutMark(kLimit) + dropped);
  EXPECT_EQ(log.Read(kLimit.head_bytes + mark, 1000), dropped);
  EXPECT_EQ(log.Read(log.total() - 17, 1000), "the error at last");
  EXPECT_EQ(log.total() - mark - static_cast<std::int64_t>(dropped.size()),
            kLimit.head_bytes + kLimit.end_bytes);
  EXPECT_EQ(log.Read(log.total(), 1000), "");
}

TEST(LogFileTest, KeepsAllOfALogWhoseRestIsNoLongerThanTheEndThatIsKept) {
  const TempFolder folder;
  const std::string path = folder.path() + "/log";
  WriteText(path, "");
  std::filesystem::resize_file(path, static_cast<std::uintmax_t>(kLimit.head_bytes));
  std::ofstream(path, std::ios::app) << "a little more";
  LogFile log(path, kLimit);
  log.SetTotal(StoredLogOf(kLimit.head_bytes + 13, kLimit).bytes());
  EXPECT_EQ(log.Read(kLimit.head_bytes, 1000), LogCutMark(kLimit));
  EXPECT_EQ(
      log.Read(kLimit.head_bytes + static_cast<std::int64_t>(LogCutMark(kLimit).size()), 1000),
      "a little more");
}

TEST(LogFileTest, KeepsALogOfExactlyTheLimitAsItIs) {
  const TempFolder folder;
  const std::string path = folder.path() + "/log";
  WriteText(path, "");
  std::filesystem::resize_file(path, static_cast<std::uintmax_t>(kLimit.head_bytes));
  LogFile log(path, kLimit);
  log.SetTotal(StoredLogOf(kLimit.head_bytes, kLimit).bytes());
  EXPECT_EQ(log.Available(), kLimit.head_bytes);
  EXPECT_EQ(log.Read(kLimit.head_bytes, 1000), "");
}

TEST(LogFileTest, PromisesNoMoreThanTheDiskStillHas) {
  const TempFolder folder;
  WriteText(folder.path() + "/log", "abc");
  LogFile log(folder.path() + "/log", kLimit);
  log.SetTotal(10);
  EXPECT_EQ(log.Available(), 3);
  EXPECT_EQ(log.total(), 3);
}

TEST(LogWatchTest, TellsOfTheNextWriteAndOnlyThatOne) {
  const TempFolder folder;
  const std::string path = folder.path() + "/log";
  WriteText(path, "");
  LogWatch watch;
  ASSERT_TRUE(watch.Arm(kKey, path));
  EXPECT_THAT(watch.Wait(absl::ZeroDuration()), ::testing::IsEmpty());
  std::ofstream(path, std::ios::app) << "a" << std::flush << "b" << std::flush;
  EXPECT_THAT(watch.Wait(absl::Minutes(1)), ::testing::Each(kKey));
  std::ofstream(path, std::ios::app) << "c";
  watch.Wake();
  EXPECT_THAT(watch.Wait(absl::Minutes(1)), ::testing::IsEmpty());
}

// A finished attempt's folder, and its log in it, is used again for another attempt.
TEST(LogWatchTest, KnowsAFileThatIsUsedAgain) {
  const TempFolder folder;
  WriteText(folder.path() + "/one", "");
  LogWatch watch;
  const AttemptKey next{9, 9, 9};
  ASSERT_TRUE(watch.Arm(kKey, folder.path() + "/one"));
  std::filesystem::rename(folder.path() + "/one", folder.path() + "/two");
  ASSERT_TRUE(watch.Arm(next, folder.path() + "/two"));
  watch.Disarm(kKey);
  std::ofstream(folder.path() + "/two", std::ios::app) << "a";
  EXPECT_THAT(watch.Wait(absl::Minutes(1)), ::testing::ElementsAre(next));
  EXPECT_FALSE(watch.Arm(kKey, folder.path() + "/one"));
}

class LogShipperTest : public ::testing::Test {
 protected:
  std::string Log(const AttemptKey& key, const std::string& content) {
    const std::string path = folder_.path() + "/" + ToString(key);
    WriteText(path, content);
    return path;
  }
  void Stored(const AttemptKey& key) {
    std::lock_guard lock(mutex_);
    stored_.insert(key);
    changed_.notify_all();
  }
  bool AwaitStored(const AttemptKey& key) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::minutes(1), [&] { return stored_.contains(key); });
  }

  TempFolder folder_;
  FakeServer server_{folder_.path() + "/blobs", folder_.path() + "/server.sock"};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<AttemptKey> stored_;
  LogShipper shipper_{MakeChannel(server_.address()),
                      {.head_bytes = 2'000'000, .end_bytes = 1000},
                      [this](const AttemptKey& key) { Stored(key); }};
};

TEST_F(LogShipperTest, ShipsALogInPiecesAndSaysWhenItIsStored) {
  std::string content;
  for (int i = 0; i < 100000; ++i) content += "line " + std::to_string(i) + "\n";
  const std::string path = Log(kKey, content);
  shipper_.Finish(kKey, path, static_cast<std::int64_t>(content.size()));
  EXPECT_TRUE(AwaitStored(kKey));
  EXPECT_EQ(server_.AwaitLog(kKey), content);
}

TEST_F(LogShipperTest, ShipsWhatIsAppendedWhileAStepRuns) {
  const std::string path = Log(kKey, "one\n");
  shipper_.Follow(kKey, path);
  ASSERT_TRUE(server_.Await([&] { return server_.logs[kKey] == "one\n"; }));
  std::ofstream(path, std::ios::app) << "two\n";
  ASSERT_TRUE(server_.Await([&] { return server_.logs[kKey] == "one\ntwo\n"; }));
  shipper_.Finish(kKey, path, 8);
  EXPECT_TRUE(AwaitStored(kKey));
}

// A step that writes more than is kept is not held up, and who follows sees at once where it was
// cut.
TEST_F(LogShipperTest, ShipsTheBeginningAndTheEndOfALogThatIsTooLong) {
  const std::string head(2'000'000, 'a');
  const std::string path = Log(kKey, head + "b");
  const std::string mark = LogCutMark({.head_bytes = 2'000'000, .end_bytes = 1000});
  shipper_.Follow(kKey, path);
  ASSERT_TRUE(server_.Await([&] { return server_.logs[kKey] == head + mark; }));
  std::ofstream(path, std::ios::app) << std::string(1'000'000, 'c') << std::string(999, 'd') << "!";
  const std::int64_t stored = shipper_.StoredBytes(3'001'001);
  shipper_.Finish(kKey, path, stored);
  const std::string log = server_.AwaitLog(kKey);
  EXPECT_EQ(static_cast<std::int64_t>(log.size()), stored);
  EXPECT_EQ(log.substr(head.size()),
            mark + "[potok] 1000001 bytes were dropped here; the last 1000 follow\n" +
                std::string(999, 'd') + "!");
}

// A file that is written to again and again, with pauses longer than any look: each write is told
// of anew.
TEST_F(LogShipperTest, ShipsEachLineOfAStepThatPauses) {
  const std::string path = Log(kKey, "");
  shipper_.Follow(kKey, path);
  std::string written;
  for (int i = 0; i < 50; ++i) {
    const std::string line = "line " + std::to_string(i) + "\n";
    written += line;
    std::ofstream(path, std::ios::app) << line;
    ASSERT_TRUE(server_.Await([&] { return server_.logs[kKey] == written; }));
  }
}

TEST_F(LogShipperTest, ShipsALogWhoseFileComesLater) {
  const std::string path = folder_.path() + "/" + ToString(kKey);
  shipper_.Follow(kKey, path);
  const std::string other = Log({2, 0, 1}, "x");
  shipper_.Finish({2, 0, 1}, other, 1);
  ASSERT_TRUE(AwaitStored({2, 0, 1}));
  WriteText(path, "late\n");
  ASSERT_TRUE(server_.Await([&] { return server_.logs[kKey] == "late\n"; }));
}

TEST_F(LogShipperTest, ShipsTheOthersWhenTheServerRefusesOne) {
  const AttemptKey bad{1, 0, 1};
  const AttemptKey good{2, 0, 1};
  server_.refused = bad;
  const std::string bad_path = Log(bad, "nobody wants this\n");
  const std::string good_path = Log(good, "this is wanted\n");
  shipper_.Finish(bad, bad_path, 18);
  shipper_.Finish(good, good_path, 15);
  EXPECT_TRUE(AwaitStored(good));
  EXPECT_TRUE(AwaitStored(bad)) << "given up, so that its folder can go";
  EXPECT_EQ(server_.AwaitLog(good), "this is wanted\n");
}

TEST_F(LogShipperTest, SendsAgainWhatAServerHasLost) {
  const std::string path = Log(kKey, "one\n");
  shipper_.Follow(kKey, path);
  ASSERT_TRUE(server_.Await([&] { return server_.logs[kKey] == "one\n"; }));
  ASSERT_TRUE(server_.Await([&] {
    server_.logs[kKey].clear();
    return true;
  }));
  std::ofstream(path, std::ios::app) << "two\n";
  EXPECT_TRUE(server_.Await([&] { return server_.logs[kKey] == "one\ntwo\n"; }));
}

}  // namespace
}  // namespace potok::agent
