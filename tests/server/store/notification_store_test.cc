// Who is to be told that a run has ended, on PostgreSQL.
#include "server/store/notification_store.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/store/postgres/postgres_notifications.h"
#include "server/store/postgres/postgres_store.h"
#include "tests/server/store/changes.h"
#include "tests/support/temporary_postgres.h"

namespace potok::server {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const Receiver kWebhook = {ReceiverKind::kRunWebhook, "http://host/?key=1"};
const Receiver kOther = {ReceiverKind::kRunWebhook, "http://other/"};
const Receiver kCommand = {ReceiverKind::kCommand, "/bin/mail"};

class NotificationStoreTest : public testing::Test {
 protected:
  NotificationStoreTest() { Open(); }

  void Open() {
    bundle_ = StoreBundle();
    store_ = std::make_unique<PostgresNotifications>(url_);
    auto opened = OpenPostgres(url_);
    EXPECT_TRUE(opened.ok()) << opened.status();
    bundle_ = *std::move(opened);
    EXPECT_TRUE(bundle_.store->Load().ok());
  }
  NotificationStore& store() { return *store_; }

  void Project(std::vector<Change> changes) {
    const Batch batch{++revision_, "w", std::move(changes)};
    ASSERT_TRUE(bundle_.store->Commit(batch, {}).ok());
    bundle_.projector->Project(batch);
    ASSERT_TRUE(bundle_.projector->WaitFor(revision_, absl::Seconds(60), Haste::kNow).ok());
  }
  static RunMoved Moved(RunId run, RunStatus status) { return {run, status, "", At(9000)}; }
  void End(RunId run) { Project({Moved(run, RunStatus::kCompleted)}); }

  static Delivery ADelivery(const std::string& id, const Receiver& receiver, std::int64_t next) {
    Delivery delivery;
    delivery.id = id;
    delivery.receiver = receiver;
    delivery.body = "{\"delivery\":\"\xff\"}";
    delivery.created = At(5);
    delivery.next_try = At(next);
    return delivery;
  }
  // A run that has ended, with these.
  void AnEnd(RunId run, const std::vector<Delivery>& deliveries) {
    Project({ARun(run), Moved(run, RunStatus::kFailed)});
    ASSERT_TRUE(store().Settle(run, deliveries).ok());
  }
  std::vector<std::string> Due(std::int64_t now, const std::vector<Receiver>& busy = {}) {
    std::vector<std::string> ids;
    const auto due = store().Due(At(now), busy, 10);
    EXPECT_TRUE(due.ok()) << due.status();
    for (const Delivery& one : *due) ids.push_back(one.id);
    return ids;
  }

  const std::string url_ = TemporaryPostgres::Shared().NewDatabase();
  StoreBundle bundle_;
  std::unique_ptr<NotificationStore> store_;
  std::int64_t revision_ = 0;
};

TEST_F(NotificationStoreTest, NamesRunsOnceInTheOrderInWhichTheyEnded) {
  Project({ARun(1), ARun(2), ARun(3)});
  EXPECT_THAT(*store().Ended(10), IsEmpty());
  Project({Moved(2, RunStatus::kRunning)});
  End(2);
  End(1);
  Project({ARun(4), Moved(4, RunStatus::kFailed)});
  EXPECT_THAT(*store().Ended(10), ElementsAre(EndedRun{2, 3}, EndedRun{1, 4}, EndedRun{4, 5}));
  EXPECT_THAT(*store().Ended(1), ElementsAre(EndedRun{2, 3}));
  ASSERT_TRUE(store().Settle(2, {}).ok());
  // A user describes it anew, which writes its row.
  ASSERT_TRUE(bundle_.reader
                  ->EditRun(2,
                            [](RunRow& row) {
                              row.added.experiment_name = "other";
                              return absl::OkStatus();
                            })
                  .ok());
  Open();
  EXPECT_THAT(*store().Ended(10), ElementsAre(EndedRun{1, 4}, EndedRun{4, 5}));
}

TEST_F(NotificationStoreTest, MakesNotificationsOfARunOnce) {
  AnEnd(1, {ADelivery("a", kWebhook, 10)});
  ASSERT_TRUE(store().Settle(1, {ADelivery("b", kWebhook, 10)}).ok());
  const auto of_run = store().OfRun(1);
  ASSERT_EQ(of_run->size(), 1U);
  const Delivery& one = of_run->front();
  EXPECT_EQ(one.id, "a");
  EXPECT_EQ(one.receiver, kWebhook);
  EXPECT_EQ(one.state, DeliveryState::kWaiting);
  EXPECT_EQ(one.created, At(5));
  EXPECT_EQ(one.next_try, At(10));
}

TEST_F(NotificationStoreTest, GivesTheFirstOfEachReceiverThatIsFree) {
  AnEnd(1, {ADelivery("a", kWebhook, 30), ADelivery("b", kCommand, 20)});
  AnEnd(2, {ADelivery("c", kWebhook, 10), ADelivery("d", kOther, 40)});
  EXPECT_THAT(Due(9), IsEmpty());
  EXPECT_THAT(Due(35), ElementsAre("c", "b"));
  EXPECT_THAT(Due(40), ElementsAre("c", "b", "d"));
  EXPECT_THAT(Due(40, {kWebhook, kOther}), ElementsAre("b"));
  EXPECT_EQ(store().Due(At(40), {}, 1)->size(), 1U);
  EXPECT_EQ(store().Due(At(40), {}, 1)->front().body, "{\"delivery\":\"\xff\"}");
  EXPECT_EQ(*store().NextDue(), At(10));
}

TEST_F(NotificationStoreTest, KeepsWhatCameOfATry) {
  Delivery one = ADelivery("a", kWebhook, 10);
  AnEnd(1, {one});
  one.tries = 1;
  one.last_error = "it answered 503 \xff";
  one.next_try = At(1'000'010);
  ASSERT_TRUE(store().Put(one).ok());
  Open();
  EXPECT_THAT(Due(20), IsEmpty());
  EXPECT_EQ(*store().NextDue(), At(1'000'010));
  EXPECT_EQ(store().OfRun(1)->front().last_error, "it answered 503 \xff");
  one.state = DeliveryState::kDelivered;
  one.finished = At(2'000'000);
  ASSERT_TRUE(store().Put(one).ok());
  EXPECT_EQ(*store().NextDue(), absl::InfiniteFuture());
  EXPECT_EQ(store().OfRun(1)->front().finished, At(2'000'000));
}

TEST_F(NotificationStoreTest, DeletesWhatIsLongFinishedAndNothingThatWaits) {
  Delivery done = ADelivery("a", kWebhook, 10);
  AnEnd(1, {done, ADelivery("b", kOther, 10)});
  done.state = DeliveryState::kGivenUp;
  done.finished = At(100);
  ASSERT_TRUE(store().Put(done).ok());
  ASSERT_TRUE(store().DeleteFinished(At(100)).ok());
  EXPECT_EQ(store().OfRun(1)->size(), 2U);
  ASSERT_TRUE(store().DeleteFinished(At(101)).ok());
  ASSERT_EQ(store().OfRun(1)->size(), 1U);
  EXPECT_EQ(store().OfRun(1)->front().id, "b");
}

TEST_F(NotificationStoreTest, TellsTheServersReceiversFromWhenTheyWereFirstGiven) {
  Project({ARun(1)});
  EXPECT_THAT(*store().Begin({kCommand}), ElementsAre(2));
  End(1);
  EXPECT_THAT(*store().Begin({kOther, kCommand}), ElementsAre(3, 2));
  // Taken away, and given again later: as if for the first time.
  EXPECT_THAT(*store().Begin({}), IsEmpty());
  Project({ARun(2)});
  EXPECT_THAT(*store().Begin({kCommand}), ElementsAre(4));
}

}  // namespace
}  // namespace potok::server
