// The queue between threads; with many of them, so that ThreadSanitizer has something to judge.
#include "common/runtime/mailbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

namespace potok {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr absl::Duration kLong = absl::Seconds(60);  // only a lost wake-up reaches it

TEST(MailboxTest, GivesWhatWasPostedInItsOrder) {
  Mailbox<std::string> mailbox(10);
  EXPECT_TRUE(mailbox.Post("a"));
  EXPECT_TRUE(mailbox.Post("b"));
  EXPECT_THAT(mailbox.TakeAll(absl::ZeroDuration()), ElementsAre("a", "b"));
  EXPECT_THAT(mailbox.TakeAll(absl::ZeroDuration()), IsEmpty());
}

TEST(MailboxTest, RefusesWhenFullExceptWhatMustNotBeRefused) {
  Mailbox<int> mailbox(1);
  EXPECT_TRUE(mailbox.Post(1));
  EXPECT_FALSE(mailbox.Post(2));
  EXPECT_TRUE(mailbox.PostAlways(3));
  EXPECT_THAT(mailbox.TakeAll(absl::ZeroDuration()), ElementsAre(1, 3));
}

TEST(MailboxTest, RefusesEverythingAfterCloseButGivesWhatIsThere) {
  Mailbox<int> mailbox(10);
  EXPECT_TRUE(mailbox.Post(1));
  mailbox.Close();
  EXPECT_FALSE(mailbox.PostAlways(2));
  EXPECT_THAT(mailbox.TakeAll(kLong), ElementsAre(1));
  EXPECT_THAT(mailbox.TakeAll(kLong), IsEmpty());
}

TEST(MailboxTest, WakesTheTakerWhenItIsClosed) {
  Mailbox<int> mailbox(10);
  std::thread closer([&] { mailbox.Close(); });
  EXPECT_THAT(mailbox.TakeAll(kLong), IsEmpty());
  closer.join();
}

TEST(MailboxTest, KeepsTheOrderOfEachOfManyPosters) {
  constexpr int kPosters = 4;
  constexpr int kItems = 2000;
  // Not atomic: what a poster wrote before it posts is seen by who takes.
  std::vector<int> written(kPosters * kItems, 0);
  Mailbox<int> mailbox(100);
  std::vector<std::thread> posters;
  for (int poster = 0; poster < kPosters; ++poster) {
    posters.emplace_back([&, poster] {
      for (int item = poster * kItems; item < (poster + 1) * kItems; ++item) {
        written[static_cast<std::size_t>(item)] = 1;
        while (!mailbox.Post(item)) std::this_thread::yield();
      }
    });
  }
  std::atomic<bool> done = false;
  std::thread watcher([&] {
    while (!done) EXPECT_LE(mailbox.size(), 100U);
  });
  std::vector<int> next(kPosters, 0);
  for (int taken = 0; taken < kPosters * kItems;) {
    const std::vector<int> items = mailbox.TakeAll(kLong);
    ASSERT_FALSE(items.empty());
    for (const int item : items) {
      EXPECT_EQ(item % kItems, next[static_cast<std::size_t>(item / kItems)]++);
      EXPECT_EQ(written[static_cast<std::size_t>(item)], 1);
    }
    taken += static_cast<int>(items.size());
  }
  for (std::thread& poster : posters) poster.join();
  done = true;
  watcher.join();
}

}  // namespace
}  // namespace potok
