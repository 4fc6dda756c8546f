#include "common/runtime/worker_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace potok {
namespace {

TEST(WorkerPoolTest, RunsInTheOrderOfPostingOnOneThread) {
  std::vector<int> ran;
  {
    WorkerPool pool("test", 1);
    for (int i = 0; i < 1000; ++i) EXPECT_TRUE(pool.Post([&ran, i] { ran.push_back(i); }));
  }
  EXPECT_EQ(ran.size(), 1000U);
  EXPECT_TRUE(std::is_sorted(ran.begin(), ran.end()));
}

TEST(WorkerPoolTest, RunsEverythingOnceOnSeveralThreads) {
  std::vector<int> ran(1000, 0);
  WorkerPool pool("test", 4);
  for (int& times : ran) EXPECT_TRUE(pool.Post([&times] { ++times; }));
  pool.Stop();
  EXPECT_THAT(ran, testing::Each(1));
}

TEST(WorkerPoolTest, RunsWhatWorkPosts) {
  bool ran = false;
  Mutex mutex;
  std::condition_variable changed;
  WorkerPool pool("test", 2);
  pool.Post([&] {
    pool.Post([&] {
      MutexLock lock(mutex);
      ran = true;
      changed.notify_all();
    });
  });
  MutexLock lock(mutex);
  EXPECT_TRUE(changed.wait_for(lock.native(), std::chrono::seconds(60), [&] { return ran; }));
}

TEST(WorkerPoolTest, RefusesWorkAfterStop) {
  WorkerPool pool("test", 2);
  pool.Stop();
  EXPECT_FALSE(pool.Post([] {}));
  pool.Stop();
}

}  // namespace
}  // namespace potok
