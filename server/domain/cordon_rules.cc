// What people say of machines: whether new steps are placed there, and which labels they carry.
#include <algorithm>
#include <utility>

#include "common/base/machine_labels.h"
#include "fmt/format.h"
#include "server/domain/turn.h"

namespace potok::server {

namespace {

void AnswerTo(Turn& turn, ReplyToken reply, absl::Status status) {
  turn.decision.effects.emplace_back(Answer{reply, std::move(status), ""});
}

// Those that are named, each once, in the order of their numbers. NOT_FOUND names all that are not
// known.
absl::StatusOr<std::set<MachineId>> MachinesNamed(const State& state,
                                                  const std::vector<std::string>& names) {
  std::set<MachineId> machines;
  std::string unknown;
  for (const std::string& name : names) {
    const auto it = state.machine_by_name.find(name);
    if (it != state.machine_by_name.end()) {
      machines.insert(it->second);
    } else {
      unknown += fmt::format("{}'{}'", unknown.empty() ? "" : ", ", name);
    }
  }
  if (unknown.empty()) return machines;
  return absl::NotFoundError(fmt::format(
      "no machine is known as {}; nothing was changed. 'potok machine list' shows those that are",
      unknown));
}

void SetCordon(Turn& turn, MachineId id, Cordon cordon) {
  MachineChanged changed = turn.state.machines.at(id).facts;
  cordon.at = turn.now;
  changed.at = turn.now;
  // A person has looked at it.
  if (cordon.state == CordonState::kNone) changed.quarantine.reset();
  changed.cordon = std::move(cordon);
  Emit(turn, std::move(changed));
}

std::string ReasonToLeave(const MachineChanged& machine) {
  const std::string& reason = machine.cordon->reason;
  return fmt::format("{} is drained{}; the step will run again on another machine",
                     machine.name,
                     reason.empty() ? "" : fmt::format(" ({})", reason));
}

// What is on the machine and is not being stopped yet.
std::vector<StepKey> StayingOn(const State& state, const MachineRecord& machine) {
  std::vector<StepKey> staying;
  for (const AttemptKey& key : machine.holding) {
    const StepState& step = state.runs.at(key.run).steps[key.index].state();
    const bool stops =
        std::holds_alternative<Stopping>(step) || std::holds_alternative<Leaving>(step);
    if (!stops) staying.push_back(key.step());
  }
  return staying;
}

// The facts with the labels edited, or why they cannot be.
absl::StatusOr<MachineChanged> Relabeled(const MachineChanged& machine,
                                         const MachinesLabeled& labeled,
                                         absl::Time now) {
  MachineChanged changed = machine;
  for (const auto& [name, value] : labeled.labels) {
    const auto own = changed.agent_labels.find(name);
    // What its agent never had needs no removal.
    if (!value.has_value() && own == changed.agent_labels.end()) {
      changed.label_edits.erase(name);
      continue;
    }
    changed.label_edits[name] = {value, labeled.by, labeled.reason, now};
  }
  changed.labels = EditedLabels(changed.agent_labels, changed.label_edits);
  const absl::Status checked = CheckMachineLabels(changed.labels);
  if (!checked.ok()) {
    return absl::InvalidArgumentError(
        fmt::format("{}: {}; nothing was changed", machine.name, std::string(checked.message())));
  }
  changed.at = now;
  return changed;
}

}  // namespace

void CordonMachines(Turn& turn, const MachinesCordoned& cordoned) {
  const auto machines = MachinesNamed(turn.state, cordoned.machines);
  if (!machines.ok()) return AnswerTo(turn, cordoned.reply, machines.status());
  Cordon cordon;
  cordon.state = cordoned.drain ? CordonState::kDraining : CordonState::kCordoned;
  if (cordoned.drain) cordon.deadline = turn.now + cordoned.deadline;
  cordon.by = cordoned.by;
  cordon.reason = cordoned.reason;
  for (const MachineId id : *machines) SetCordon(turn, id, cordon);
  CheckDrains(turn);
  AnswerTo(turn, cordoned.reply, absl::OkStatus());
}

void UncordonMachines(Turn& turn, const MachinesUncordoned& uncordoned) {
  const auto machines = MachinesNamed(turn.state, uncordoned.machines);
  if (!machines.ok()) return AnswerTo(turn, uncordoned.reply, machines.status());
  for (const MachineId id : *machines) {
    MachineRecord& machine = turn.state.machines.at(id);
    machine.sessions.clear();
    machine.losses.clear();
    Cordon cordon;
    cordon.by = uncordoned.by;
    cordon.reason = uncordoned.reason;
    SetCordon(turn, id, std::move(cordon));
  }
  AnswerTo(turn, uncordoned.reply, absl::OkStatus());
}

void LabelMachines(Turn& turn, const MachinesLabeled& labeled) {
  const auto machines = MachinesNamed(turn.state, labeled.machines);
  if (!machines.ok()) return AnswerTo(turn, labeled.reply, machines.status());
  std::vector<MachineChanged> changes;
  for (const MachineId id : *machines) {
    auto changed = Relabeled(turn.state.machines.at(id).facts, labeled, turn.now);
    if (!changed.ok()) return AnswerTo(turn, labeled.reply, changed.status());
    changes.push_back(*std::move(changed));
  }
  for (MachineChanged& changed : changes) Emit(turn, std::move(changed));
  AnswerTo(turn, labeled.reply, absl::OkStatus());
}

void CheckDrains(Turn& turn) {
  for (const auto& [id, machine] : turn.state.machines) {
    const std::optional<Cordon>& cordon = machine.facts.cordon;
    if (!cordon.has_value() || cordon->state != CordonState::kDraining) continue;
    if (cordon->deadline > turn.now) continue;
    const std::string reason = ReasonToLeave(machine.facts);
    for (const StepKey& key : StayingOn(turn.state, machine)) {
      MoveStep(turn, key, LeaveRequested{reason});
    }
  }
}

}  // namespace potok::server
