#include "fmt/format.h"
#include "tests/simulation/simulator.h"

namespace potok::server {

void Simulator::CauseFaults() {
  if (server_up_ && random_.Chance(server_faults_)) CrashServer();
  const bool lacks_pool = crowded_ && !state_.pools.contains(kPoolOfSimulation);
  if (server_up_ && (lacks_pool || random_.Chance(remarks_))) SayOfPool();
  for (Machine& machine : machines_) {
    if (random_.Chance(machine_faults_)) FaultOnMachine(machine);
    // What it is told by the Welcome it does not hear.
    if (machine.agent.greets() && random_.Chance(machine_faults_)) {
      machine.agent.Crash(false);
      machine.returns = now_ + random_.UpTo(absl::Seconds(25));
    }
    if (server_up_ && random_.Chance(remarks_)) SayOfMachine(machine);
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

void Simulator::SayOfMachine(const Machine& machine) {
  const ReplyToken nobody = clients_.size();
  const std::vector<std::string> names = {machine.agent.name()};
  switch (random_.Below(5)) {
    case 0:
      inbox_.emplace_back(MachinesCordoned{nobody, names, false, absl::InfiniteDuration(), "", ""});
      break;
    case 1:
      inbox_.emplace_back(MachinesCordoned{nobody, names, true, absl::InfiniteDuration(), "", ""});
      break;
    case 2: {
      const absl::Duration deadline = random_.UpTo(absl::Seconds(10));
      inbox_.emplace_back(MachinesCordoned{nobody, names, true, deadline, "", ""});
      break;
    }
    case 3: {
      MachinesLabeled labeled{nobody, names, {}, "", ""};
      labeled.labels["zone"] = std::nullopt;
      if (random_.Chance(500)) labeled.labels["zone"] = "b";
      inbox_.emplace_back(std::move(labeled));
      break;
    }
    default:
      inbox_.emplace_back(MachinesUncordoned{nobody, names, "", ""});
      break;
  }
}

// Some limit, or none, for some of the machines or all of them; or that there is no such pool.
void Simulator::SayOfPool() {
  const ReplyToken nobody = clients_.size();
  if (!crowded_ && random_.Chance(200)) {
    inbox_.emplace_back(PoolDeleted{nobody, kPoolOfSimulation});
    return;
  }
  PoolPut put;
  put.reply = nobody;
  put.name = kPoolOfSimulation;
  if (random_.Chance(500)) put.selector = random_.Chance(500) ? "zone == b" : "name in (m0, m2)";
  if (random_.Chance(500)) {
    put.limits.running_steps = static_cast<std::int32_t>(random_.Below(3));
  }
  if (random_.Chance(300)) {
    put.limits.gpu_millis = static_cast<std::int32_t>(random_.Below(3000));
  }
  put.preemption = random_.Chance(800);
  put.low_priority = random_.Chance(300);
  put.spread = random_.Chance(300);
  // Far apart, so that much depends on which of them counts.
  if (random_.Chance(300)) put.lease = absl::Seconds(2 + random_.Below(3));
  if (random_.Chance(300)) put.lease = absl::Seconds(15 + random_.Below(20));
  if (random_.Chance(100)) put.lease = absl::InfiniteDuration();
  if (crowded_) {
    put.selector.clear();
    put.limits = {};
    put.preemption = true;
  }
  inbox_.emplace_back(std::move(put));
}

// Until nothing keeps new steps off: what was said may be lost with the server.
void Simulator::LiftAll() {
  const auto pool = state_.pools.find(kPoolOfSimulation);
  const bool holds_up = pool == state_.pools.end() || !pool->second.facts.selector.empty() ||
                        pool->second.facts.limits != PoolLimits{};
  if (holds_up) {
    PoolPut put;
    put.reply = clients_.size();
    put.name = kPoolOfSimulation;
    put.preemption = true;
    inbox_.emplace_back(std::move(put));
  }
  for (const auto& [id, machine] : state_.machines) {
    if (!IsCordoned(machine.facts)) continue;
    inbox_.emplace_back(MachinesUncordoned{clients_.size(), {machine.facts.name}, "", ""});
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
