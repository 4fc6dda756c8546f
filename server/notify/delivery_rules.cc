#include "server/notify/delivery_rules.h"

#include <algorithm>

namespace potok::server {

namespace {

constexpr absl::Duration kFirstWait = absl::Seconds(1);
constexpr absl::Duration kLongestWait = absl::Minutes(10);
constexpr std::size_t kErrorBytesMax = 500;

}  // namespace

std::vector<Receiver> ReceiversOf(const Ending& ending,
                                  std::int64_t revision,
                                  const std::vector<StandingReceiver>& standing) {
  std::vector<Receiver> receivers;
  const auto add = [&](const Receiver& receiver) {
    if (std::ranges::find(receivers, receiver) == receivers.end()) receivers.push_back(receiver);
  };
  if (!ending.webhooks.only_failed || ending.status == "Failed") {
    for (const std::string& url : ending.webhooks.urls) add({ReceiverKind::kRunWebhook, url});
  }
  for (const StandingReceiver& one : standing) {
    if (revision >= one.from_revision) add(one.receiver);
  }
  return receivers;
}

absl::Duration WaitAfter(std::int64_t tries) {
  absl::Duration wait = kFirstWait;
  for (std::int64_t i = 1; i < tries && wait < kLongestWait; ++i) wait *= 2;
  return std::min(wait, kLongestWait);
}

void Conclude(const Outcome& outcome, absl::Time now, Delivery* delivery) {
  if (outcome.kind == Outcome::Kind::kStopped) return;
  ++delivery->tries;
  if (outcome.kind == Outcome::Kind::kDelivered) {
    delivery->state = DeliveryState::kDelivered;
    delivery->finished = now;
    return;
  }
  delivery->last_error = outcome.error.substr(0, kErrorBytesMax);
  delivery->next_try = now + WaitAfter(delivery->tries);
  const bool is_late = delivery->next_try > delivery->created + kTriedFor;
  if (outcome.kind == Outcome::Kind::kFailed && !is_late) return;
  delivery->state = DeliveryState::kGivenUp;
  delivery->finished = now;
}

}  // namespace potok::server
