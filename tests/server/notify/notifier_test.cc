// Notifications over a real PostgreSQL and real receivers.
#include "server/notify/notifier.h"

#include <atomic>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "absl/time/clock.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/store/postgres/postgres_notifications.h"
#include "server/store/postgres/postgres_store.h"
#include "tests/server/artifacts/web_source.h"
#include "tests/server/store/changes.h"
#include "tests/support/temporary_postgres.h"

namespace potok::server {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// The JSON that a receiver got.
nlohmann::json BodyIn(const std::string& request) {
  return nlohmann::json::parse(request.substr(request.find("\r\n\r\n") + 4));
}

class NotifierTest : public testing::Test {
 protected:
  NotifierTest() {
    auto opened = OpenPostgres(url_);
    EXPECT_TRUE(opened.ok()) << opened.status();
    bundle_ = *std::move(opened);
    EXPECT_TRUE(bundle_.store->Load().ok());
    options_.web.local_sources = true;
  }

  // Another one, as after a new start of the server.
  void Start() {
    notifier_.reset();
    registry_ = std::make_unique<prometheus::Registry>();
    notifier_ = std::make_unique<Notifier>(
        *store_,
        [this](RunId id) -> absl::StatusOr<Ending> {
          Ending ending;
          ending.id = id;
          ending.run = fmt::format("run-{}", id);
          ending.status = "Failed";
          ending.webhooks.urls = urls_;
          return ending;
        },
        options_,
        *registry_);
    ASSERT_TRUE(notifier_->Start().ok());
  }
  void End(RunId id) {
    const Batch batch{++revision_, "w", {ARun(id), RunMoved{id, RunStatus::kFailed, "", At(9)}}};
    ASSERT_TRUE(bundle_.store->Commit(batch, {}).ok());
    bundle_.projector->Project(batch);
    ASSERT_TRUE(bundle_.projector->WaitFor(revision_, absl::Seconds(60), Haste::kNow).ok());
  }
  // The run's only notification, once it is so.
  Delivery WaitFor(RunId id, const std::function<bool(const Delivery&)>& is_so) {
    const absl::Time deadline = absl::Now() + absl::Seconds(60);
    while (absl::Now() < deadline) {
      const auto deliveries = store_->OfRun(id);
      if (deliveries.ok() && deliveries->size() == 1 && is_so(deliveries->front())) {
        return deliveries->front();
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ADD_FAILURE() << "it did not become so";
    return {};
  }
  Delivery WaitForEnd(RunId id) {
    return WaitFor(id, [](const Delivery& one) { return one.state != DeliveryState::kWaiting; });
  }

  const std::string url_ = TemporaryPostgres::Shared().NewDatabase();
  StoreBundle bundle_;
  const std::unique_ptr<NotificationStore> store_ = std::make_unique<PostgresNotifications>(url_);
  std::int64_t revision_ = 0;
  NotifierOptions options_;
  std::vector<std::string> urls_;  // that every run names
  std::unique_ptr<prometheus::Registry> registry_;
  std::unique_ptr<Notifier> notifier_;
};

TEST_F(NotifierTest, TellsARunsWebhookUntilItHears) {
  std::atomic<int> requests = 0;
  const WebSource source(
      [&](const std::string&) { return Reply(++requests == 1 ? "500 X" : "200 OK", "", ""); });
  urls_ = {source.Url("/hook")};
  options_.secret = "key";
  Start();
  End(1);
  const Delivery delivery = WaitForEnd(1);
  EXPECT_EQ(delivery.state, DeliveryState::kDelivered);
  EXPECT_EQ(delivery.tries, 2);
  EXPECT_EQ(delivery.last_error, "it answered 500");
  const auto heard = source.requests();
  ASSERT_THAT(heard, SizeIs(2));
  EXPECT_EQ(BodyIn(heard[0]), BodyIn(heard[1]));
  EXPECT_EQ(BodyIn(heard[1]).at("run"), "run-1");
  EXPECT_EQ(BodyIn(heard[1]).at("delivery"), delivery.id);
  EXPECT_THAT(heard[1], HasSubstr("Potok-Delivery: " + delivery.id + "\r\n"));
  EXPECT_THAT(heard[1], HasSubstr("Potok-Signature: sha256="));
}

TEST_F(NotifierTest, GivesUpOnAReceiverThatIsGone) {
  const WebSource source([](const std::string&) { return Reply("410 Gone", "", ""); });
  urls_ = {source.Url("/")};
  Start();
  End(1);
  const Delivery delivery = WaitForEnd(1);
  EXPECT_EQ(delivery.state, DeliveryState::kGivenUp);
  EXPECT_EQ(delivery.last_error, "it answered 410");
  EXPECT_THAT(source.requests(), SizeIs(1));
}

TEST_F(NotifierTest, TellsAfterANewStartWhatItCouldNotTellBefore) {
  std::atomic<bool> hears = false;
  const WebSource source(
      [&](const std::string&) { return Reply(hears ? "200 OK" : "503 X", "", ""); });
  urls_ = {source.Url("/")};
  Start();
  End(1);
  WaitFor(1, [](const Delivery& one) { return one.tries > 0; });
  notifier_->Stop();
  End(2);
  hears = true;
  Start();
  EXPECT_EQ(WaitForEnd(1).state, DeliveryState::kDelivered);
  EXPECT_EQ(WaitForEnd(2).tries, 1);
}

TEST_F(NotifierTest, LetsNoReceiverThatHangsHoldUpAnother) {
  std::promise<void> done;
  const std::shared_future<void> is_done = done.get_future().share();
  WebSource silent([&](const std::string&) {
    is_done.wait();
    return std::string();
  });
  const WebSource source([](const std::string&) { return Reply("200 OK", "", ""); });
  options_.post_timeout = absl::Seconds(300);
  urls_ = {silent.Url("/")};
  Start();
  End(1);
  End(2);
  while (silent.requests().empty()) std::this_thread::yield();
  notifier_->Stop();
  urls_ = {source.Url("/")};
  Start();
  End(3);
  EXPECT_EQ(WaitForEnd(3).state, DeliveryState::kDelivered);
  // One try that hangs; it is given up at once when the server stops, and does not count.
  notifier_->Stop();
  EXPECT_EQ(store_->OfRun(1)->front().tries, 0);
  done.set_value();
}

TEST_F(NotifierTest, TellsTheServersReceiversOfWhatEndsSinceTheyWereGiven) {
  const WebSource source([](const std::string&) { return Reply("200 OK", "", ""); });
  End(1);
  options_.standing = {{ReceiverKind::kServerWebhook, source.Url("/all")}};
  Start();
  End(2);
  EXPECT_EQ(WaitForEnd(2).state, DeliveryState::kDelivered);
  EXPECT_THAT(*store_->OfRun(1), IsEmpty());
  EXPECT_THAT(*store_->Ended(10), IsEmpty());
}

TEST_F(NotifierTest, RunsNoProgramThatTheServerIsNoLongerToldOf) {
  options_.standing = {{ReceiverKind::kCommand, "/bin/false"}};
  Start();
  End(1);
  WaitFor(1, [](const Delivery& one) { return one.tries > 0; });
  options_.standing.clear();
  Start();
  const Delivery delivery = WaitForEnd(1);
  EXPECT_EQ(delivery.state, DeliveryState::kGivenUp);
  EXPECT_EQ(delivery.last_error, "potok-server is no longer told to notify it");
}

}  // namespace
}  // namespace potok::server
