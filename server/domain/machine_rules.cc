#include <algorithm>
#include <utility>

#include "fmt/format.h"
#include "server/domain/fit.h"
#include "server/domain/pools.h"
#include "server/domain/resume.h"
#include "server/domain/turn.h"

namespace potok::server {

namespace {

MachineRecord* FindMachine(Turn& turn, const std::string& name) {
  const auto it = turn.state.machine_by_name.find(name);
  return it == turn.state.machine_by_name.end() ? nullptr : &turn.state.machines.at(it->second);
}

bool IsLive(Liveness liveness) {
  return liveness == Liveness::kReady || liveness == Liveness::kNotResponding;
}

void SetLiveness(Turn& turn, const MachineRecord& machine, Liveness liveness) {
  if (machine.facts.liveness == liveness) return;
  MachineChanged changed = machine.facts;
  changed.liveness = liveness;
  changed.at = turn.now;
  Emit(turn, std::move(changed));
}

void Close(Turn& turn, SessionId session, absl::Status why) {
  turn.decision.effects.emplace_back(CloseSession{session, std::move(why)});
}

// Who says anything after its Hello has heard Welcome, and counts with no other lease than that.
void ConfirmLease(Turn& turn, const MachineRecord& machine) {
  if (machine.facts.lease == machine.told_lease) return;
  MachineChanged changed = machine.facts;
  changed.lease = machine.told_lease;
  changed.at = turn.now;
  Emit(turn, std::move(changed));
}

// The machine's session, if it is the one that speaks. What an older or refused session still had
// under way is not heard: the agent says it again in the Hello of its new one.
MachineRecord* Hear(Turn& turn, const std::string& name, SessionId session) {
  MachineRecord* machine = FindMachine(turn, name);
  if (machine == nullptr || session == 0 || machine->session != session) return nullptr;
  machine->last_heard = turn.now;
  ConfirmLease(turn, *machine);
  if (machine->facts.liveness == Liveness::kNotResponding) {
    SetLiveness(turn, *machine, Liveness::kReady);
  }
  return machine;
}

void SetSession(Turn& turn, MachineRecord& machine, SessionId session) {
  machine.session = session;
  turn.state.vacancies.Touch(machine.facts.id);
}

// What the server counts with.
absl::Duration CountedLease(const Turn& turn, const MachineChanged& machine) {
  return machine.lease.value_or(turn.options.lease);
}

// Its attempts are dead, and it must say Hello before it is a machine again.
void Lose(Turn& turn, MachineRecord& machine, const absl::Status& why) {
  if (machine.session != 0) Close(turn, machine.session, why);
  SetSession(turn, machine, 0);
  const std::set<AttemptKey> holding = machine.holding;
  for (const AttemptKey& key : holding) LoseAttempt(turn, key.step());
  SetLiveness(turn, machine, Liveness::kLost);
}

void HearReport(Turn& turn, const MachineRecord& machine, const Report& report) {
  const bool ends = EndsAttempt(report.event);
  if (ends) turn.decision.effects.emplace_back(SendAck{machine.session, report.key});
  // The fence: only what the machine holds under this very number is its to report.
  if (!machine.holding.contains(report.key)) {
    ++turn.decision.stale_reports;
    return;
  }
  const StepKey key = report.key.step();
  const StepState& state = turn.state.runs.at(key.run).steps[key.index].state();
  const auto* failed = std::get_if<AttemptFailed>(&report.event);
  const bool stopping = std::holds_alternative<Stopping>(state);
  const bool lost = (failed != nullptr && (failed->failure.cause == FailureCause::kLease ||
                                           failed->failure.cause == FailureCause::kMachineLost)) ||
                    (std::holds_alternative<AttemptStopped>(report.event) && !stopping);
  if (lost) return LoseAttempt(turn, key);
  const bool began = failed == nullptr || (failed->failure.cause != FailureCause::kStart &&
                                           failed->failure.cause != FailureCause::kInput);
  // The report of its start may have been lost on the way; users still see that it ran.
  if (std::holds_alternative<Assigned>(state) && began)
    MoveStep(turn, key, AttemptStarted{report.runtime});
  if (failed != nullptr && RetryAttempt(turn, key, failed->failure, report.usage)) return;
  MoveStep(turn, key, report.event, {report.usage});
}

bool IsReport(const StepEvent& event) {
  return EndsAttempt(event) || std::holds_alternative<AttemptStarted>(event) ||
         std::holds_alternative<AttemptExited>(event);
}

void HearAll(Turn& turn, const MachineRecord& machine, const std::vector<Report>& reports) {
  for (const Report& report : reports) {
    if (!IsReport(report.event)) continue;
    HearReport(turn, machine, report);
    Settle(turn);
  }
}

absl::Status CheckHello(const MachineHello& hello, const MachineRecord* known) {
  if (hello.machine.name.empty()) {
    return absl::InvalidArgumentError("a machine needs a name; start the agent with one");
  }
  if (known == nullptr) return absl::OkStatus();
  if (hello.session < known->session) {
    return absl::AbortedError("superseded by a newer session of this machine");
  }
  const bool other = known->facts.state_id != hello.machine.state_id;
  const bool in_use =
      IsLive(known->facts.liveness) && (known->session != 0 || !known->holding.empty());
  if (!other || !in_use) return absl::OkStatus();
  return absl::AlreadyExistsError(fmt::format(
      "the name '{0}' belongs to an agent with another state folder, which {1}. Give "
      "this machine another name; or start the agent with the state folder that it had; "
      "or, if the other is gone for good, run: potok machine declare-dead {0}",
      hello.machine.name,
      known->session != 0 ? "is connected" : "still holds steps"));
}

// The lease that the machine is told when it is as in its Hello.
absl::Duration LeaseToTell(const Turn& turn, const MachineChanged& facts) {
  MachineRecord machine;
  machine.facts = facts;
  machine.labels = LabelsOf(facts);
  return Pools(turn.state, turn.options).LeaseOf(machine, turn.options.lease);
}

// The stored facts of the machine after its Hello, but for its lease.
MachineChanged FactsOf(const Turn& turn, const MachineHello& hello, const MachineRecord* known) {
  MachineChanged facts = hello.machine;
  facts.id = known != nullptr ? known->facts.id : turn.state.next_machine;
  facts.first_seen = known != nullptr ? known->facts.first_seen : turn.now;
  facts.liveness = Liveness::kReady;
  facts.at = turn.now;
  facts.agent_labels = hello.machine.labels;
  if (known == nullptr) return facts;
  facts.cordon = known->facts.cordon;
  facts.quarantine = known->facts.quarantine;
  facts.label_edits = known->facts.label_edits;
  facts.labels = EditedLabels(facts.agent_labels, facts.label_edits);
  return facts;
}

bool SameFacts(const MachineChanged& a, const MachineChanged& b) {
  return a.name == b.name && a.state_id == b.state_id && a.boot_id == b.boot_id &&
         a.agent_version == b.agent_version && a.isolation == b.isolation &&
         a.capacity == b.capacity && a.gpus == b.gpus && a.labels == b.labels &&
         a.agent_labels == b.agent_labels && a.pools == b.pools && a.runtimes == b.runtimes &&
         a.liveness == b.liveness && a.lease == b.lease;
}

}  // namespace

void HearHello(Turn& turn, const MachineHello& hello) {
  MachineRecord* known = FindMachine(turn, hello.machine.name);
  const absl::Status refusal = CheckHello(hello, known);
  if (!refusal.ok()) return Close(turn, hello.session, refusal);
  if (known != nullptr && known->session != 0 && known->session != hello.session) {
    Close(
        turn, known->session, absl::AbortedError("superseded by a newer session of this machine"));
  }
  // Compared with the facts from before: the boot decides.
  const Resumption resumption = known != nullptr ? Resume(turn.state, *known, hello) : Resumption{};
  MachineChanged facts = FactsOf(turn, hello, known);
  const absl::Duration lease = LeaseToTell(turn, facts);
  facts.lease = lease;
  // Until it is heard again its agent may not know of this one, and count with the one before.
  if (known != nullptr) facts.lease = std::max(lease, CountedLease(turn, known->facts));
  if (known == nullptr || !SameFacts(known->facts, facts)) Emit(turn, facts);
  MachineRecord& machine = turn.state.machines.at(facts.id);
  SetSession(turn, machine, hello.session);
  machine.told_lease = lease;
  turn.state.holdings.Limit(facts.id, hello.cache_bytes);
  machine.last_heard = turn.now;
  NoteSession(turn, machine);

  turn.decision.effects.emplace_back(SendWelcome{hello.session, lease, resumption.keep});
  for (const AttemptKey& key : resumption.ended) LoseAttempt(turn, key.step());
  for (const AttemptKey& key : resumption.start) OrderStart(turn, key.step());
  for (const AttemptKey& key : resumption.stop) {
    const StepState& step = turn.state.runs.at(key.run).steps[key.index].state();
    const auto* leaving = std::get_if<Leaving>(&step);
    OrderStop(turn,
              key,
              facts.id,
              leaving != nullptr ? leaving->reason : std::get<Stopping>(step).reason);
  }
  Settle(turn);
  HearAll(turn, machine, hello.unacknowledged);
}

void HearReports(Turn& turn, const MachineReported& reported) {
  const MachineRecord* machine = Hear(turn, reported.machine, reported.session);
  if (machine == nullptr) {
    turn.decision.stale_reports += static_cast<std::uint32_t>(reported.reports.size());
    return;
  }
  HearAll(turn, *machine, reported.reports);
}

void HearHeartbeat(Turn& turn, const MachineHeard& heard) {
  // One of a session that another has replaced renews nothing.
  if (Hear(turn, heard.machine, heard.session) == nullptr) return;
  turn.decision.effects.emplace_back(AckHeartbeat{heard.session, heard.sequence});
}

void Disconnect(Turn& turn, const MachineDisconnected& disconnected) {
  MachineRecord* machine = FindMachine(turn, disconnected.machine);
  if (machine != nullptr && machine->session == disconnected.session) SetSession(turn, *machine, 0);
}

void SayGoodbye(Turn& turn, const MachineGoodbye& goodbye) {
  MachineRecord* machine = Hear(turn, goodbye.machine, goodbye.session);
  if (machine == nullptr) return;
  SetSession(turn, *machine, 0);
  if (machine->holding.empty()) SetLiveness(turn, *machine, Liveness::kGone);
}

void DeclareDead(Turn& turn, const MachineDeclaredDead& declared) {
  MachineRecord* machine = FindMachine(turn, declared.machine);
  absl::Status answer;
  if (machine == nullptr) {
    answer = absl::NotFoundError(fmt::format("no machine is named '{}'", declared.machine));
  } else if (IsLive(machine->facts.liveness)) {
    Lose(turn, *machine, absl::AbortedError("this machine was declared dead"));
  }
  turn.decision.effects.emplace_back(Answer{declared.reply, answer, declared.machine});
}

void TellLeases(Turn& turn) {
  const Pools pools(turn.state, turn.options);
  for (auto& [id, machine] : turn.state.machines) {
    if (machine.session == 0) continue;
    if (pools.LeaseOf(machine, turn.options.lease) == machine.told_lease) continue;
    Close(turn, machine.session, absl::AbortedError("the lease has changed; say Hello again"));
    SetSession(turn, machine, 0);
  }
}

void CheckLeases(Turn& turn) {
  for (auto& [id, machine] : turn.state.machines) {
    if (!IsLive(machine.facts.liveness)) continue;
    const absl::Duration silent = turn.now - machine.last_heard;
    if (silent >= CountedLease(turn, machine.facts) + turn.options.lease_grace) {
      Lose(turn,
           machine,
           absl::DeadlineExceededError(
               fmt::format("not heard for {}; its steps were given up. Connect again",
                           absl::FormatDuration(silent))));
    } else if (silent >= turn.options.silent_after) {
      SetLiveness(turn, machine, Liveness::kNotResponding);
    }
  }
}

}  // namespace potok::server
