#include "server/notify/delivery_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace potok::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr ReceiverKind kRun = ReceiverKind::kRunWebhook;
constexpr ReceiverKind kServer = ReceiverKind::kServerWebhook;

Ending AnEnding(const std::string& status, const std::vector<std::string>& urls) {
  Ending ending;
  ending.status = status;
  ending.webhooks.urls = urls;
  return ending;
}

TEST(DeliveryRulesTest, TellsTheRunsOwnAndTheServers) {
  const Receiver server{kServer, "http://s"};
  const Receiver command{ReceiverKind::kCommand, "/bin/mail"};
  EXPECT_THAT(
      ReceiversOf(AnEnding("Completed", {"http://a", "http://b"}), 7, {{server, 7}, {command, 1}}),
      ElementsAre(Receiver{kRun, "http://a"}, Receiver{kRun, "http://b"}, server, command));
}

TEST(DeliveryRulesTest, TellsTheServersNothingOfWhatEndedBeforeTheyWereGiven) {
  EXPECT_THAT(ReceiversOf(AnEnding("Failed", {}), 6, {{{kServer, "http://s"}, 7}}), IsEmpty());
}

TEST(DeliveryRulesTest, TellsOnlyFailuresToARunThatWantsThose) {
  Ending ending = AnEnding("Failed", {"http://a"});
  ending.webhooks.only_failed = true;
  EXPECT_THAT(ReceiversOf(ending, 1, {}), ElementsAre(Receiver{kRun, "http://a"}));
  for (const char* status : {"Completed", "Canceled"}) {
    ending.status = status;
    EXPECT_THAT(ReceiversOf(ending, 1, {}), IsEmpty()) << status;
  }
}

TEST(DeliveryRulesTest, WaitsTwiceAsLongAfterEachTryUpToTenMinutes) {
  EXPECT_EQ(WaitAfter(1), absl::Seconds(1));
  EXPECT_EQ(WaitAfter(2), absl::Seconds(2));
  EXPECT_EQ(WaitAfter(10), absl::Seconds(512));
  EXPECT_EQ(WaitAfter(11), absl::Minutes(10));
  EXPECT_EQ(WaitAfter(1'000'000), absl::Minutes(10));
}

class ConcludeTest : public testing::Test {
 protected:
  ConcludeTest() { delivery_.created = at_; }
  Delivery After(Outcome::Kind kind, absl::Duration later = absl::ZeroDuration()) {
    Conclude({kind, "it answered 503"}, at_ + later, &delivery_);
    return delivery_;
  }
  const absl::Time at_ = absl::FromUnixSeconds(1'000'000);
  Delivery delivery_;
};

TEST_F(ConcludeTest, IsTriedAgainAfterAFailureAndOverOnceDelivered) {
  const Delivery failed = After(Outcome::Kind::kFailed);
  EXPECT_EQ(failed.state, DeliveryState::kWaiting);
  EXPECT_EQ(failed.next_try, at_ + absl::Seconds(1));
  EXPECT_EQ(failed.last_error, "it answered 503");
  const Delivery delivered = After(Outcome::Kind::kDelivered, absl::Seconds(1));
  EXPECT_EQ(delivered.state, DeliveryState::kDelivered);
  EXPECT_EQ(delivered.tries, 2);
  EXPECT_EQ(delivered.finished, at_ + absl::Seconds(1));
}

TEST_F(ConcludeTest, GivesUpWhenRefusedAndAfterADay) {
  EXPECT_EQ(After(Outcome::Kind::kFailed, absl::Hours(24) - absl::Seconds(1)).state,
            DeliveryState::kWaiting);
  EXPECT_EQ(After(Outcome::Kind::kFailed, absl::Hours(24)).state, DeliveryState::kGivenUp);
  delivery_ = Delivery();
  delivery_.created = at_;
  const Delivery refused = After(Outcome::Kind::kRefused);
  EXPECT_EQ(refused.state, DeliveryState::kGivenUp);
  EXPECT_EQ(refused.finished, at_);
}

TEST_F(ConcludeTest, IsAsItWasWhenTheServerStops) {
  const Delivery stopped = After(Outcome::Kind::kStopped);
  EXPECT_EQ(stopped.tries, 0);
  EXPECT_EQ(stopped.state, DeliveryState::kWaiting);
}

}  // namespace
}  // namespace potok::server
