#include "agent/link/log_shipper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "agent/domain/log_limit.h"
#include "agent/link/log_file.h"
#include "common/rpc/channel.h"
#include "tests/agent/loop/fake_server.h"
#include "tests/agent/loop/fakes.h"

namespace potok::agent {
namespace {

TEST(LogFileTest, CutsALogThatIsTooLongWithAMark) {
  const TempFolder folder;
  const std::string path = folder.path() + "/log";
  WriteText(path, "first");
  std::filesystem::resize_file(path, static_cast<std::uintmax_t>(kLogBytesMax) + 7);
  LogFile log(path);
  EXPECT_EQ(log.Available(), kLogBytesMax) << "no mark before it is known that more follows";
  log.SetTotal(StoredLogBytes(kLogBytesMax + 7));
  EXPECT_EQ(log.Available(), log.total());
  EXPECT_EQ(log.Read(0, 5), "first");
  EXPECT_EQ(log.Read(kLogBytesMax - 3, 100), std::string(3, '\0'));
  EXPECT_EQ(log.Read(kLogBytesMax, 1000), LogCutMark());
  EXPECT_EQ(log.Read(log.total(), 1000), "");
}

TEST(LogFileTest, KeepsALogOfExactlyTheLimitAsItIs) {
  const TempFolder folder;
  const std::string path = folder.path() + "/log";
  WriteText(path, "");
  std::filesystem::resize_file(path, static_cast<std::uintmax_t>(kLogBytesMax));
  LogFile log(path);
  log.SetTotal(StoredLogBytes(kLogBytesMax));
  EXPECT_EQ(log.Available(), kLogBytesMax);
  EXPECT_EQ(log.Read(kLogBytesMax, 1000), "");
}

TEST(LogFileTest, PromisesNoMoreThanTheDiskStillHas) {
  const TempFolder folder;
  WriteText(folder.path() + "/log", "abc");
  LogFile log(folder.path() + "/log");
  log.SetTotal(10);
  EXPECT_EQ(log.Available(), 3);
  EXPECT_EQ(log.total(), 3);
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
