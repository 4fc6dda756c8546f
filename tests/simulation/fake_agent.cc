#include "tests/simulation/fake_agent.h"

#include <algorithm>
#include <utility>

#include "common/base/overloaded.h"

namespace potok::server {

namespace {

constexpr absl::Duration kHeartbeat = absl::Milliseconds(500);
constexpr std::size_t kCpus = 2;

}  // namespace

FakeAgent::FakeAgent(std::string name, Random* random, Ledger* ledger, Break broken)
    : random_(*random), ledger_(*ledger), broken_(broken) {
  facts_.name = std::move(name);
  facts_.state_id = "state of " + facts_.name;
  facts_.boot_id = "boot 1";
  facts_.capacity = {std::int64_t{1} << 34, kCpus * 1000, 2000, 10, {{"fpga", 1}}};
  facts_.gpus = {{0, "A100", 80, ""}, {1, "T4", 16, ""}};
}

std::vector<AttemptKey> FakeAgent::Alive() const {
  std::vector<AttemptKey> keys;
  for (const auto& [key, process] : processes_) keys.push_back(key);
  return keys;
}

void FakeAgent::Kill(const AttemptKey& key) {
  processes_.erase(key);
  ledger_.End(key);
}

void FakeAgent::KillAll() {
  for (const AttemptKey& key : Alive()) {
    Kill(key);
    vanished_.insert(key);
  }
}

void FakeAgent::Crash(bool with_processes) {
  Disconnect();
  up_ = false;
  if (with_processes) KillAll();
}

void FakeAgent::Boot() {
  Crash(true);
  facts_.boot_id = "boot " + std::to_string(++boots_);
}

void FakeAgent::Connect(SessionId session, absl::Time now) {
  Disconnect();
  session_ = session;
  hello_sent_ = now;
  // What vanished is either reported as lost or left for the server to find out.
  for (const AttemptKey& key : vanished_) {
    if (random_.Chance(500)) Finish(key, AttemptFailed{{FailureCause::kMachineLost, 0, "gone"}});
  }
  vanished_.clear();
  MachineHello hello{session, facts_, Alive(), {}};
  for (const auto& [key, report] : unacknowledged_) hello.unacknowledged.push_back(report);
  outbox_ = {hello};
}

void FakeAgent::Receive(const DownMessage& message, absl::Time now) {
  std::visit(Overloaded{
                 [&](const SendWelcome& m) { OnWelcome(m); },
                 [&](const StartOrder& m) { OnStart(m, now); },
                 [&](const StopOrder& m) { OnStop(m); },
                 [&](const SendAck& m) { unacknowledged_.erase(m.key); },
                 [&](const HeartbeatAck& m) { lease_end_ = m.sent + lease_; },
             },
             message);
}

void FakeAgent::OnWelcome(const SendWelcome& welcome) {
  welcomed_ = true;
  lease_ = welcome.lease;
  lease_end_ = hello_sent_ + lease_;
  for (const AttemptKey& key : Alive()) {
    const auto& keep = welcome.keep;
    if (broken_ == Break::kSkipKeepList) continue;
    if (std::find(keep.begin(), keep.end(), key) == keep.end()) Kill(key);
  }
  // What ended between the Hello and now is in no message yet.
  for (const auto& [key, report] : unacknowledged_) SendReport(key, report.event);
}

void FakeAgent::OnStart(const StartOrder& order, absl::Time now) {
  if (processes_.contains(order.key)) return;
  const bool known = broken_ != Break::kForgetWhatBegan && begun_.contains(order.key);
  if (known) {
    const auto report = unacknowledged_.find(order.key);
    if (report == unacknowledged_.end()) {
      Finish(order.key, AttemptFailed{{FailureCause::kMachineLost, 0, "it had begun before"}});
    } else {
      SendReport(order.key, report->second.event);
    }
    return;
  }
  begun_.insert(order.key);
  processes_[order.key] = {
      Stage::kPreparing, now + random_.UpTo(absl::Seconds(1)), order.memory_bytes};
  ledger_.Begin(order.key, facts_.name);
  std::int64_t memory_bytes = 0;
  for (const auto& [key, process] : processes_) memory_bytes += process.memory_bytes;
  if (memory_bytes > facts_.capacity.memory_bytes) {
    ledger_.violations.push_back(facts_.name + " is to give more memory than it has");
  }
  if (processes_.size() > kCpus) ledger_.violations.push_back(facts_.name + " runs too much");
}

void FakeAgent::OnStop(const StopOrder& order) {
  if (processes_.contains(order.key)) Kill(order.key);
  // The number is used up even if its order never came.
  begun_.insert(order.key);
  if (!unacknowledged_.contains(order.key)) Finish(order.key, AttemptStopped{});
}

void FakeAgent::Finish(const AttemptKey& key, StepEvent event) {
  unacknowledged_[key] = {key, event};
  SendReport(key, event);
}

void FakeAgent::SendReport(const AttemptKey& key, const StepEvent& event) {
  if (welcomed_) outbox_.push_back(MachineReported{session_, facts_.name, {{key, event}}});
}

void FakeAgent::Progress(const AttemptKey& key, Process& process, absl::Time now) {
  process.next = now + random_.UpTo(absl::Seconds(3));
  if (process.stage == Stage::kPreparing) {
    process.stage = Stage::kRunning;
    return SendReport(key, AttemptStarted{});
  }
  if (process.stage == Stage::kRunning && !random_.Chance(100)) {
    process.stage = Stage::kUploading;
    return SendReport(key, AttemptExited{});
  }
  const bool fails = process.stage == Stage::kRunning;
  Kill(key);
  if (fails && random_.Chance(400)) {
    return Finish(key, AttemptFailed{{FailureCause::kOutOfMemory, 9, "out of memory"}});
  }
  if (fails) return Finish(key, AttemptFailed{{FailureCause::kExitCode, 1, "exit 1"}});
  AttemptSucceeded succeeded;
  if (!random_.Chance(30)) succeeded.outputs = {{"out", ToString(key)}};
  Finish(key, succeeded);
}

void FakeAgent::Advance(absl::Time now) {
  // The shims keep the lease even when the agent is down.
  if (now >= lease_end_ && broken_ != Break::kNoSelfFence && RunsAnything()) {
    KillAll();
    // Heard of nothing for so long: it starts a conversation anew.
    Disconnect();
  }
  if (!up_) return;
  for (const AttemptKey& key : Alive()) {
    Process& process = processes_.at(key);
    if (now >= process.next) Progress(key, process, now);
  }
  if (welcomed_ && now >= next_heartbeat_) {
    next_heartbeat_ = now + kHeartbeat;
    outbox_.push_back(
        MachineHeard{session_, facts_.name, static_cast<std::uint64_t>(absl::ToUnixMicros(now))});
  }
}

}  // namespace potok::server
