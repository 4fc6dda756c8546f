#include "server/rpc/switchboard.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "common/base/overloaded.h"
#include "common/base/status_macros.h"
#include "common/rpc/usage_convert.h"
#include "fmt/format.h"
#include "server/rpc/convert.h"

namespace potok::server {

namespace {

constexpr int kCompletionThreads = 2;
constexpr absl::Duration kHeartbeatInterval = absl::Seconds(5);
// Attempts of which a machine is heard what they use: more than it says of at a time.
constexpr std::size_t kUsageMax = 1024;

v1::ServerMessage WelcomeOf(const SendWelcome& welcome) {
  v1::ServerMessage message;
  v1::Welcome& out = *message.mutable_welcome();
  const bool endless = welcome.lease == absl::InfiniteDuration();
  out.set_lease_ms(LeaseMs(welcome.lease));
  // Six heartbeats fit into a lease at least, so that a lost one never ends anything.
  const absl::Duration interval =
      endless ? kHeartbeatInterval : std::min(kHeartbeatInterval, welcome.lease / 6);
  out.set_heartbeat_interval_ms(absl::ToInt64Milliseconds(interval));
  for (const AttemptKey& key : welcome.keep) *out.add_keep() = server::ToProto(key);
  return message;
}

}  // namespace

Switchboard::Switchboard(Replies& replies,
                         WatchHub& watches,
                         LogStore& logs,
                         const StepTracking& tracking,
                         TrialMetrics& trials)
    : replies_(replies), watches_(watches), logs_(logs), tracking_(tracking), trials_(trials) {}

void Switchboard::Attach(Scheduler& scheduler,
                         const Completion& completion,
                         const ResultLookup& results) {
  results_ = &results;
  scheduler_ = &scheduler;
  completion_ = &completion;
  completions_ = std::make_unique<WorkerPool>("complete", kCompletionThreads);
}

std::shared_ptr<AgentSession> Switchboard::NewSession() {
  MutexLock lock(mutex_);
  auto session = std::make_shared<AgentSession>(next_session_++, *this);
  if (closed_.ok()) sessions_.emplace(session->id(), session);
  return session;
}

void Switchboard::CloseAll(const absl::Status& why) {
  std::map<SessionId, std::shared_ptr<AgentSession>> sessions;
  {
    MutexLock lock(mutex_);
    closed_ = why;
    sessions.swap(sessions_);
  }
  for (const auto& [id, session] : sessions) session->Close(why);
  if (completions_ != nullptr) completions_->Stop();
}

std::map<MachineId, MachineChanged> Switchboard::machines() {
  MutexLock lock(mutex_);
  return machines_;
}

std::shared_ptr<AgentSession> Switchboard::Find(SessionId id) {
  MutexLock lock(mutex_);
  const auto session = sessions_.find(id);
  return session == sessions_.end() ? nullptr : session->second;
}

absl::Status Switchboard::OpenExec(const std::string& machine, v1::OpenExec open) {
  std::shared_ptr<AgentSession> session;
  {
    MutexLock lock(mutex_);
    for (const auto& [id, one] : sessions_) {
      if (one->machine() == machine) session = one;  // the newest is the one that counts
    }
  }
  if (session == nullptr) {
    return absl::UnavailableError(
        fmt::format("the machine {} is not connected now; its steps go on, and it may come back: "
                    "potok machine show -n {}",
                    machine,
                    machine));
  }
  if (!session->allows_exec()) {
    return absl::PermissionDeniedError(
        fmt::format("the agent of the machine {} does not allow commands beside steps: it was "
                    "started with --exec=deny, or is older than they are",
                    machine));
  }
  v1::ServerMessage message;
  *message.mutable_open_exec() = std::move(open);
  session->Send(std::move(message));
  return absl::OkStatus();
}

// What cannot be said is said again by resume, at the agent's next Hello.
void Switchboard::Send(SessionId id, v1::ServerMessage message) {
  if (const auto session = Find(id); session != nullptr) session->Send(std::move(message));
}

void Switchboard::AddOrder(const SendOrder& order, v1::Orders& orders) const {
  v1::Order& added = *orders.add_orders();
  added = ToProto(order);
  if (const auto* start = std::get_if<StartOrder>(&order.order)) {
    tracking_.Offer(*start, *added.mutable_start());
  }
}

// Each agent gets one message with all its orders and acknowledgements: a message costs both ends
// several switches between threads.
void Switchboard::Say(std::vector<Effect> effects) {
  std::map<SessionId, v1::ServerMessage> orders;
  const auto send_orders_of = [&](SessionId id) {
    if (auto node = orders.extract(id)) Send(id, std::move(node.mapped()));
  };
  for (Effect& effect : effects) {
    std::visit(Overloaded{
                   [&](const SendOrder& order) {
                     AddOrder(order, *orders[order.session].mutable_orders());
                   },
                   [&](const SendAck& ack) {
                     *orders[ack.session].mutable_orders()->add_acknowledged() = ToProto(ack.key);
                   },
                   [&](const AckHeartbeat& heard) {
                     if (!scheduler_->MaySpeak()) return;
                     v1::ServerMessage ack;
                     ack.mutable_heartbeat_ack()->set_sequence(heard.sequence);
                     Send(heard.session, std::move(ack));
                   },
                   [&](const SendWelcome& welcome) {
                     send_orders_of(welcome.session);
                     Send(welcome.session, WelcomeOf(welcome));
                   },
                   [&](const CloseSession& close) {
                     send_orders_of(close.session);
                     if (const auto session = Find(close.session)) session->Close(close.why);
                   },
                   [&](const Answer& answer) { replies_.Give(answer); },
                   [&](FindResult& question) { LookUp(std::move(question)); },
                   [&](ComposeOutputs& wanted) {
                     completions_->Post([this, wanted = std::move(wanted)] {
                       scheduler_->PostAlways(completion_->Compose(wanted));
                     });
                   },
               },
               effect);
  }
  for (auto& [id, message] : orders) Send(id, std::move(message));
}

// All that one turn asks waits for the same revision of the tables: what is offered later runs now,
// and is waited for as such.
void Switchboard::LookUp(FindResult question) {
  const std::int64_t revision = scheduler_->committed_revision();
  completions_->Post([this, revision, question = std::move(question)] {
    scheduler_->PostAlways(results_->Answer(question, revision));
  });
}

void Switchboard::Committed(const Batch& batch) {
  {
    MutexLock lock(mutex_);
    for (const Change& change : batch.changes) {
      if (const auto* machine = std::get_if<MachineChanged>(&change))
        machines_[machine->id] = *machine;
    }
  }
  trials_.Committed(batch);
  watches_.Committed(batch);
}

bool Switchboard::OnMessage(AgentSession& session, v1::AgentMessage&& message, absl::Status* why) {
  const bool said_hello = !session.machine().empty();
  if (said_hello == message.has_hello()) {
    *why =
        absl::InvalidArgumentError("the first message of an agent, and only the first, is Hello");
    return false;
  }
  switch (message.message_case()) {
    case v1::AgentMessage::kHello:
      *why = OnHello(session, message.hello());
      return why->ok();
    case v1::AgentMessage::kHeartbeat:
      OnUsage(session.id(), message.heartbeat());
      // One that finds the mailbox full is not acknowledged; the lease outlasts several.
      scheduler_->Post(
          MachineHeard{session.id(), session.machine(), message.heartbeat().sequence()});
      return true;
    case v1::AgentMessage::kReports:
      *why = OnReports(session, message.reports());
      return why->ok();
    case v1::AgentMessage::kGoodbye:
      scheduler_->PostAlways(MachineGoodbye{session.id(), session.machine()});
      return true;
    case v1::AgentMessage::MESSAGE_NOT_SET:
      return true;  // of a newer agent
  }
  return true;
}

LiveUsage Switchboard::usage() {
  LiveUsage all;
  MutexLock lock(mutex_);
  for (const auto& [session, usage] : usage_) all.insert(usage.begin(), usage.end());
  return all;
}

LiveUsage Switchboard::UsageIn(RunId run) {
  LiveUsage all;
  MutexLock lock(mutex_);
  for (const auto& [session, usage] : usage_) {
    all.insert(usage.lower_bound({run, 0, 0}), usage.lower_bound({run + 1, 0, 0}));
  }
  return all;
}

// Each message tells of all that it tells of; what is not in it has ended.
void Switchboard::OnUsage(SessionId id, const v1::Heartbeat& heartbeat) {
  if (heartbeat.usage().empty()) return;
  LiveUsage usage;
  for (const v1::LiveUsage& one : heartbeat.usage()) {
    if (usage.size() >= kUsageMax) break;
    usage[server::FromProto(one.id())] = potok::FromProto(one.usage());
  }
  MutexLock lock(mutex_);
  if (sessions_.contains(id)) usage_[id] = std::move(usage);
}

absl::Status Switchboard::OnHello(AgentSession& session, const v1::Hello& hello) {
  absl::StatusOr<MachineHello> heard = FromProto(hello, session.id());
  if (!heard.ok()) {
    spdlog::warn("agent refused session={}: {}", session.id(), heard.status().ToString());
    return heard.status();
  }
  MachineHello event = *std::move(heard);
  session.set_machine(event.machine.name);
  session.set_allows_exec(hello.allows_exec());
  spdlog::info("agent connected machine={} session={} live={} unacknowledged={}",
               event.machine.name,
               session.id(),
               event.live.size(),
               event.unacknowledged.size());
  for (const v1::Report& report : hello.unacknowledged()) NoteLogEnd(report);
  if (std::ranges::none_of(event.unacknowledged, Completion::Needed)) {
    scheduler_->PostAlways(std::move(event));
    return absl::OkStatus();
  }
  // The whole Hello waits: without its reports their attempts would count as lost.
  completions_->Post([this, id = session.id(), event = std::move(event)]() mutable {
    for (Report& report : event.unacknowledged) {
      if (!Completion::Needed(report)) continue;
      auto checked = completion_->Check(std::move(report));
      if (!checked.ok()) return HearAgain(id, checked.status());
      report = *std::move(checked);
    }
    scheduler_->PostAlways(std::move(event));
  });
  return absl::OkStatus();
}

absl::Status Switchboard::OnReports(AgentSession& session, const v1::Reports& reports) {
  MachineReported event{session.id(), session.machine(), {}};
  for (const v1::Report& message : reports.reports()) {
    POTOK_ASSIGN_OR_RETURN(Report report, FromProto(message));
    NoteLogEnd(message);
    if (!Completion::Needed(report)) {
      event.reports.push_back(std::move(report));
      continue;
    }
    // Nothing follows a completion of the same attempt, so that it may arrive after the rest of
    // this message.
    completions_->Post([this, id = session.id(), machine = session.machine(), report]() mutable {
      auto checked = completion_->Check(std::move(report));
      if (!checked.ok()) return HearAgain(id, checked.status());
      MachineReported completed{id, machine, {}};
      completed.reports.push_back(*std::move(checked));
      scheduler_->PostAlways(std::move(completed));
    });
  }
  if (!event.reports.empty()) scheduler_->PostAlways(std::move(event));
  return absl::OkStatus();
}

// What is not acknowledged is said again in the agent's next Hello.
void Switchboard::HearAgain(SessionId id, const absl::Status& why) {
  spdlog::warn("completion put off session={} reason={}", id, why.ToString());
  if (const std::shared_ptr<AgentSession> session = Find(id)) session->Close(why);
}

void Switchboard::NoteLogEnd(const v1::Report& report) {
  switch (report.event_case()) {
    case v1::Report::kSucceeded:
      logs_.Finish(FromProto(report.id()), report.succeeded().log_bytes());
      break;
    case v1::Report::kFailed:
      logs_.Finish(FromProto(report.id()), report.failed().log_bytes());
      break;
    case v1::Report::kStopped:
      logs_.Finish(FromProto(report.id()), report.stopped().log_bytes());
      break;
    default:
      break;
  }
}

void Switchboard::OnEnded(AgentSession& session) {
  bool known = false;
  {
    MutexLock lock(mutex_);
    known = sessions_.erase(session.id()) > 0;
    usage_.erase(session.id());
  }
  if (session.machine().empty() || !known) return;
  spdlog::info("agent disconnected machine={} session={}", session.machine(), session.id());
  scheduler_->PostAlways(MachineDisconnected{session.id(), session.machine()});
}

}  // namespace potok::server
