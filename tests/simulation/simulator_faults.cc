#include "fmt/format.h"
#include "tests/simulation/simulator.h"

namespace potok::server {

void Simulator::CauseFaults() {
  if (server_up_ && random_.Chance(server_faults_)) CrashServer();
  for (Machine& machine : machines_) {
    if (random_.Chance(machine_faults_)) FaultOnMachine(machine);
  }
}

void Simulator::CrashServer() {
  Trace("server crashes");
  server_up_ = false;
  // Sometimes for longer than a lease.
  server_returns_ = now_ + random_.UpTo(absl::Seconds(random_.Chance(200) ? 20 : 3));
  state_ = {};
  pending_.reset();
  inbox_.clear();
  for (Machine& machine : machines_) {
    machine.agent.Disconnect();
    machine.link = {};
  }
  for (Client& client : clients_) client.asked = false;
}

void Simulator::FaultOnMachine(Machine& machine) {
  const absl::Duration away = random_.UpTo(absl::Seconds(random_.Chance(200) ? 25 : 4));
  const std::uint32_t fault = random_.Below(8);
  Trace(fmt::format(
      "fault {} on {} for {}", fault, machine.agent.name(), absl::FormatDuration(away)));
  switch (fault) {
    case 0:
      machine.agent.Crash(false);
      machine.returns = now_ + away;
      break;
    case 1:
      machine.agent.Crash(true);
      machine.returns = now_ + away;
      break;
    case 2:
      machine.agent.Boot();
      machine.returns = now_ + away;
      // A person saw it happen.
      if (server_up_ && random_.Chance(300)) {
        inbox_.emplace_back(MachineDeclaredDead{clients_.size(), machine.agent.name()});
      }
      break;
    case 3:
      machine.agent.Disconnect();
      break;
    case 4:
      machine.link.up_stalled_until = now_ + away;
      break;
    case 5:
      machine.link.down_stalled_until = now_ + away;
      break;
    case 6:
      machine.link.up_stalled_until = machine.link.down_stalled_until = now_ + away;
      break;
    default:
      if (server_up_ && wrong_declarations_) {
        inbox_.emplace_back(MachineDeclaredDead{clients_.size(), machine.agent.name()});
      }
      break;
  }
}

void Simulator::EndFaults() {
  faults_on_ = false;
  commit_faults_ = 0;
  for (Machine& machine : machines_) {
    machine.returns = now_;
    machine.link.up_stalled_until = machine.link.down_stalled_until = now_;
  }
}

}  // namespace potok::server
