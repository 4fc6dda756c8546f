#include "server/rpc/watch_hub.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <vector>

namespace potok::server {
namespace {

// Tables that show what the test says.
class ManualProjector final : public Projector {
 public:
  void Project(Batch batch) override { Show(batch.revision); }
  void Show(std::int64_t revision) {
    const std::lock_guard lock(mutex_);
    shown_ = revision;
    changed_.notify_all();
  }
  std::int64_t projected_revision() const override {
    const std::lock_guard lock(mutex_);
    return shown_;
  }
  absl::Status WaitFor(std::int64_t revision, absl::Duration timeout, Haste /*haste*/) override {
    std::unique_lock lock(mutex_);
    const bool there = changed_.wait_for(
        lock, absl::ToChronoMilliseconds(timeout), [&] { return shown_ >= revision; });
    return there ? absl::OkStatus() : absl::DeadlineExceededError("not shown");
  }
  std::int64_t backlog_bytes() const override { return 0; }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t shown_ = 0;
};

// What a watcher saw: the tables' revision at each look.
class Looks {
 public:
  void Add(std::int64_t shown) {
    const std::lock_guard lock(mutex_);
    seen_.push_back(shown);
    added_.notify_all();
  }
  // Waits until the tables were seen at `shown`; false after a time that only a lost look reaches.
  bool WaitUntilSeen(std::int64_t shown) {
    std::unique_lock lock(mutex_);
    return added_.wait_for(
        lock, std::chrono::seconds(30), [&] { return !seen_.empty() && seen_.back() >= shown; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable added_;
  std::vector<std::int64_t> seen_;
};

Batch Touching(RunId run, std::int64_t revision) {
  return {revision, "writer", {RunMoved{run, RunStatus::kRunning, "", absl::UnixEpoch()}}};
}

void Ignore(const absl::Status&) {}

TEST(WatchHubTest, LooksAgainAfterEachChangeOfItsRun) {
  ManualProjector tables;
  Looks looks;
  WatchHub hub(tables, 2);
  hub.Watch(
      1,
      0,
      [&](std::int64_t) {
        looks.Add(tables.projected_revision());
        return true;
      },
      Ignore);
  for (std::int64_t revision = 1; revision <= 20; ++revision) {
    hub.Committed(Touching(1, revision));
    tables.Show(revision);
    ASSERT_TRUE(looks.WaitUntilSeen(revision)) << revision;
  }
}

// A run ended between the moment at which a watch read the newest revision and the moment at which
// it was registered: the watch was not told of the last change, looked at tables that did not show
// it yet, and waited for ever.
TEST(WatchHubTest, SeesWhatWasCommittedBeforeItBeganAndIsProjectedLater) {
  ManualProjector tables;
  tables.Show(4);
  Looks looks;
  WatchHub hub(tables, 2);
  hub.Committed(Touching(1, 5));
  hub.Watch(
      1,
      4,
      [&](std::int64_t) {
        looks.Add(tables.projected_revision());
        return true;
      },
      Ignore);
  tables.Show(5);
  EXPECT_TRUE(looks.WaitUntilSeen(5));
}

TEST(WatchHubTest, EndsWhenTheWatcherSaysSo) {
  ManualProjector tables;
  std::atomic<int> ended_looks = 0;
  Looks other;
  WatchHub hub(tables, 1);  // one thread: looks come in order
  hub.Watch(
      1,
      0,
      [&](std::int64_t) {
        ++ended_looks;
        return false;
      },
      Ignore);
  hub.Watch(
      1,
      0,
      [&](std::int64_t) {
        other.Add(tables.projected_revision());
        return true;
      },
      Ignore);
  ASSERT_TRUE(other.WaitUntilSeen(0));
  hub.Committed(Touching(1, 1));
  tables.Show(1);
  ASSERT_TRUE(other.WaitUntilSeen(1));
  EXPECT_EQ(ended_looks, 1);
}

// A server that was told to stop waited for its drain time as long as anybody followed a run.
TEST(WatchHubTest, EndsAllWatchesAndThoseThatComeTooLate) {
  ManualProjector tables;
  WatchHub hub(tables, 2);
  std::vector<absl::Status> ends;
  const auto note = [&](const absl::Status& why) { ends.push_back(why); };
  hub.Watch(
      1, 0, [](std::int64_t) { return true; }, note);
  hub.EndAll(absl::UnavailableError("stopping"));
  EXPECT_EQ(ends, std::vector<absl::Status>{absl::UnavailableError("stopping")});
  hub.Watch(
      1, 0, [](std::int64_t) { return true; }, note);
  EXPECT_EQ(ends.size(), 2U);
}

}  // namespace
}  // namespace potok::server
