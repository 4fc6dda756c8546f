// Machines that do not work as they should get no new steps for a while. What happens at how many
// moments is counted in memory only: after a start of the server it is counted anew.
#include <utility>

#include "fmt/format.h"
#include "server/domain/turn.h"

namespace potok::server {

namespace {

// What comes within so short a time has one cause.
constexpr absl::Duration kOneMoment = absl::Seconds(10);

void QuarantineMachine(Turn& turn, const MachineRecord& machine, std::string reason) {
  MachineChanged changed = machine.facts;
  changed.quarantine = Quarantine{turn.now + turn.options.quarantine, std::move(reason), turn.now};
  changed.at = turn.now;
  Emit(turn, std::move(changed));
}

// Remembers this moment and those before it that are in the window, and says how many they are.
std::size_t CountMoment(absl::Time now, absl::Duration window, std::deque<absl::Time>* moments) {
  while (!moments->empty() && moments->front() + window <= now) moments->pop_front();
  moments->push_back(now);
  return moments->size();
}

}  // namespace

void NoteSession(Turn& turn, MachineRecord& machine) {
  const DecideOptions& options = turn.options;
  if (options.sessions_max == 0) return;
  if (CountMoment(turn.now, options.sessions_window, &machine.sessions) <= options.sessions_max) {
    return;
  }
  QuarantineMachine(turn,
                    machine,
                    fmt::format("its agent connected {} times within {}",
                                machine.sessions.size(),
                                absl::FormatDuration(options.sessions_window)));
  machine.sessions.clear();
}

void NoteLoss(Turn& turn, MachineId id) {
  const DecideOptions& options = turn.options;
  if (options.losses_max == 0) return;
  MachineRecord& machine = turn.state.machines.at(id);
  if (!machine.losses.empty() && turn.now - machine.losses.back() < kOneMoment) return;
  if (CountMoment(turn.now, options.losses_window, &machine.losses) < options.losses_max) return;
  QuarantineMachine(turn,
                    machine,
                    fmt::format("steps were lost on it {} times within {}",
                                machine.losses.size(),
                                absl::FormatDuration(options.losses_window)));
  machine.losses.clear();
}

void EndQuarantines(Turn& turn) {
  for (const auto& [id, machine] : turn.state.machines) {
    const std::optional<Quarantine>& quarantine = machine.facts.quarantine;
    if (!quarantine.has_value() || quarantine->until > turn.now) continue;
    MachineChanged changed = machine.facts;
    changed.quarantine.reset();
    changed.at = turn.now;
    Emit(turn, std::move(changed));
  }
}

}  // namespace potok::server
