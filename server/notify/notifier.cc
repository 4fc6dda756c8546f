#include "server/notify/notifier.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/time/clock.h"
#include "common/base/random_id.h"
#include "common/base/status_macros.h"
#include "common/runtime/logging.h"
#include "fmt/format.h"
#include "server/notify/body.h"
#include "server/notify/notify_command.h"
#include "server/notify/web_post.h"

namespace potok::server {

namespace {

constexpr int kTriesAtOnce = 4;
constexpr int kRunsAtOnce = 100;
constexpr std::size_t kIdCharacters = 24;
// Before a delivery is repeated that was made and could not be noted.
constexpr absl::Duration kPauseAfterLoss = absl::Seconds(10);
constexpr absl::Duration kDeleteEvery = absl::Hours(1);
// What an environment variable has of a text, which may be long (execve(2): 128 KiB each).
constexpr std::size_t kVariableBytesMax = 4000;

prometheus::Family<prometheus::Counter>& TriesFamily(prometheus::Registry& registry) {
  return prometheus::BuildCounter()
      .Name("potok_notifications_total")
      .Help(
          "Tries to tell somebody that a run has ended: delivered, failed (another follows) or "
          "given_up.")
      .Register(registry);
}

std::string Shown(const Receiver& receiver) {
  return receiver.kind == ReceiverKind::kCommand ? receiver.address
                                                 : WithoutSecrets(receiver.address);
}

std::string Variable(const char* name, const nlohmann::json& body, const char* field) {
  const auto value = body.find(field);
  const bool is_text = value != body.end() && value->is_string();
  const std::string text = is_text ? value->get<std::string>() : "";
  return fmt::format("{}={}", name, text.substr(0, kVariableBytesMax));
}

}  // namespace

Notifier::Notifier(NotificationStore& store,
                   Describe describe,
                   NotifierOptions options,
                   prometheus::Registry& registry)
    : store_(store),
      describe_(std::move(describe)),
      options_(std::move(options)),
      delivered_(TriesFamily(registry).Add({{"result", "delivered"}})),
      failed_(TriesFamily(registry).Add({{"result", "failed"}})),
      given_up_(TriesFamily(registry).Add({{"result", "given_up"}})) {}

absl::Status Notifier::Start() {
  POTOK_ASSIGN_OR_RETURN(const std::vector<std::int64_t> from, store_.Begin(options_.standing));
  for (std::size_t i = 0; i < from.size(); ++i) {
    standing_.push_back({options_.standing[i], from[i]});
  }
  tries_ = std::make_unique<WorkerPool>("notify", kTriesAtOnce);
  thread_ = std::thread([this] {
    NameThread("notifier");
    Run();
  });
  return absl::OkStatus();
}

void Notifier::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (tries_ != nullptr) tries_->Stop();
}

bool Notifier::IsStopping() const {
  MutexLock lock(mutex_);
  return stopping_;
}

std::vector<Receiver> Notifier::BusyReceivers() {
  MutexLock lock(mutex_);
  return busy_;
}

void Notifier::Run() {
  for (;;) {
    Look(absl::Now());
    const absl::Duration until_due = std::max(next_due_ - absl::Now(), absl::Milliseconds(10));
    MutexLock lock(mutex_);
    if (!stopping_ && !is_concluded_) {
      changed_.wait_for(lock.native(),
                        absl::ToChronoMilliseconds(std::min(options_.look_every, until_due)));
    }
    if (stopping_) return;
    if (is_concluded_) next_due_ = absl::InfinitePast();
    is_concluded_ = false;
  }
}

void Notifier::Look(absl::Time now) {
  const auto ended = store_.Ended(kRunsAtOnce);
  if (!ended.ok()) {
    spdlog::warn("ended runs cannot be read, they are notified later: {}",
                 ended.status().ToString());
    return;
  }
  for (const EndedRun& run : *ended) {
    if (IsStopping() || !Settle(run)) return;
  }
  if (next_due_ <= now || !ended->empty()) HandOut(absl::Now());
  if (now < next_delete_) return;
  next_delete_ = now + kDeleteEvery;
  if (const absl::Status deleted = store_.DeleteFinished(now - options_.kept_for); !deleted.ok()) {
    spdlog::warn("old notifications cannot be deleted yet: {}", deleted.ToString());
  }
}

bool Notifier::Settle(const EndedRun& ended) {
  std::vector<Delivery> deliveries;
  const absl::StatusOr<Ending> ending = describe_(ended.run);
  if (ending.ok()) {
    const absl::Time now = absl::Now();
    for (const Receiver& receiver : ReceiversOf(*ending, ended.revision, standing_)) {
      Delivery delivery;
      delivery.id = RandomId(kIdCharacters);
      delivery.run = ended.run;
      delivery.receiver = receiver;
      delivery.body = BodyOf(*ending, delivery.id);
      delivery.created = now;
      delivery.next_try = now;
      deliveries.push_back(std::move(delivery));
    }
  } else if (absl::IsUnavailable(ending.status()) || absl::IsAborted(ending.status())) {
    spdlog::warn("an ended run cannot be read, it is notified later: {}",
                 ending.status().ToString());
    return false;
  } else {
    spdlog::error("nobody is notified of run number {}, which cannot be read: {}",
                  ended.run,
                  ending.status().ToString());
  }
  const absl::Status settled = store_.Settle(ended.run, deliveries);
  if (!settled.ok()) spdlog::warn("notifications not stored yet: {}", settled.ToString());
  return settled.ok();
}

void Notifier::HandOut(absl::Time now) {
  const std::vector<Receiver> busy = BusyReceivers();
  // Whoever ends a try makes it look again.
  const int free = kTriesAtOnce - static_cast<int>(busy.size());
  next_due_ = absl::InfiniteFuture();
  if (free <= 0) return;
  auto due = store_.Due(now, busy, free);
  const absl::StatusOr<absl::Time> next = store_.NextDue();
  if (!due.ok() || !next.ok()) {
    spdlog::warn("notifications cannot be read, they are delivered later: {}",
                 (due.ok() ? next.status() : due.status()).ToString());
    next_due_ = now + options_.look_every;
    return;
  }
  // What is due now waits for a try that is under way.
  if (*next > now) next_due_ = *next;
  for (Delivery& delivery : *due) {
    {
      MutexLock lock(mutex_);
      busy_.push_back(delivery.receiver);
    }
    tries_->Post([this, delivery = std::move(delivery)] { Deliver(delivery); });
  }
}

void Notifier::Deliver(Delivery delivery) {
  const Outcome outcome = IsStopping() ? Outcome{Outcome::Kind::kStopped, ""} : Try(delivery);
  Conclude(outcome, absl::Now(), &delivery);
  if (outcome.kind != Outcome::Kind::kStopped) {
    Count(delivery, outcome);
    // What is not kept is tried again: better twice than never.
    if (const absl::Status put = store_.Put(delivery); !put.ok()) {
      spdlog::warn("a notification's state is not stored, it is delivered again: {}",
                   put.ToString());
      Pause(kPauseAfterLoss);
    }
  }
  {
    MutexLock lock(mutex_);
    busy_.erase(std::ranges::find(busy_, delivery.receiver));
    is_concluded_ = true;
  }
  changed_.notify_all();
}

void Notifier::Pause(absl::Duration time) {
  MutexLock lock(mutex_);
  const auto end = std::chrono::steady_clock::now() + absl::ToChronoMilliseconds(time);
  while (!stopping_ && changed_.wait_until(lock.native(), end) != std::cv_status::timeout) {
  }
}

void Notifier::Count(const Delivery& delivery, const Outcome& outcome) {
  if (delivery.state == DeliveryState::kDelivered) return delivered_.Increment();
  const bool is_over = delivery.state == DeliveryState::kGivenUp;
  (is_over ? given_up_ : failed_).Increment();
  // Once when it begins to fail, and once at its end.
  if (!is_over && delivery.tries > 1) return;
  spdlog::warn("notification {} delivery={} receiver={} tries={}: {}",
               is_over ? "given up" : "failed, it is tried again",
               delivery.id,
               Shown(delivery.receiver),
               delivery.tries,
               outcome.error);
}

Outcome Notifier::Try(const Delivery& delivery) const {
  const Receiver& receiver = delivery.receiver;
  if (receiver.kind != ReceiverKind::kRunWebhook &&
      std::ranges::find(options_.standing, receiver) == options_.standing.end()) {
    return {Outcome::Kind::kRefused, "potok-server is no longer told to notify it"};
  }
  if (receiver.kind == ReceiverKind::kCommand) return TryCommand(delivery);
  WebPost post{receiver.address, delivery.body, {"Potok-Delivery: " + delivery.id}};
  if (!options_.secret.empty()) {
    post.headers.push_back("Potok-Signature: " + SignatureOf(delivery.body, options_.secret));
  }
  return Post(post, options_.web, options_.post_timeout, [this] { return !IsStopping(); });
}

Outcome Notifier::TryCommand(const Delivery& delivery) const {
  const nlohmann::json body = nlohmann::json::parse(delivery.body, nullptr, false);
  const NotifyCommand command{delivery.receiver.address,
                              {Variable("POTOK_RUN", body, "run"),
                               Variable("POTOK_STATUS", body, "status"),
                               Variable("POTOK_EXPERIMENT", body, "experiment"),
                               Variable("POTOK_SUBMITTER", body, "submitter"),
                               Variable("POTOK_REASON", body, "reason"),
                               Variable("POTOK_DELIVERY", body, "delivery")},
                              delivery.body};
  return RunNotifyCommand(command, options_.command_timeout, [this] { return !IsStopping(); });
}

}  // namespace potok::server
