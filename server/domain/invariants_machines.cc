// Invariants of machines and pools: what they hold is what the states of steps say.
#include <map>
#include <set>

#include "fmt/format.h"
#include "server/domain/fit.h"
#include "server/domain/invariants.h"
#include "server/domain/reservation.h"

namespace potok::server {

namespace {

void CountPromised(const RunRecord& run,
                   std::uint32_t index,
                   std::map<MachineId, MachineRecord>* expected) {
  const Placement* promised = PromisedTo(run.steps[index].state());
  if (promised == nullptr) return;
  MachineRecord& machine = (*expected)[promised->machine];
  machine.promised += RequestOf(run, index);
  for (const std::int32_t gpu : promised->gpus) {
    machine.gpus_promised[gpu] += MillisOfEach(RequestOf(run, index));
  }
}

// What each machine should hold, from the states of steps.
std::map<MachineId, MachineRecord> CountHoldings(const State& state, Problems* problems) {
  std::map<MachineId, MachineRecord> expected;
  for (const auto& [id, run] : state.runs) {
    for (std::uint32_t i = 0; i < run.steps.size(); ++i) {
      const Placement* placement = PlacementOf(run.steps[i].state());
      if (run.plan == nullptr) continue;
      CountPromised(run, i, &expected);
      if (placement == nullptr) continue;
      MachineRecord& machine = expected[placement->machine];
      machine.holding.insert({id, i, run.steps[i].attempt});
      if (EndsInTime(run, i)) machine.timed.insert({id, i, run.steps[i].attempt});
      machine.reserved += RequestOf(run, i);
      for (const std::int32_t gpu : placement->gpus) {
        std::int32_t& held = machine.gpus_held[gpu];
        held += MillisOfEach(RequestOf(run, i));
        if (held <= kMillisOfGpu) continue;
        problems->push_back(fmt::format(
            "{}: with it {} thousandths of GPU {} are held", DescribeStep(run, i), held, gpu));
      }
    }
  }
  return expected;
}

// What is derived from all machines together.
void CheckMachineSets(const State& state, Problems* problems) {
  std::set<MachineId> timed;
  std::map<std::string, std::size_t> declared;
  std::size_t with_gpus = 0;
  for (const auto& [id, machine] : state.machines) {
    if (!machine.timed.empty()) timed.insert(id);
    for (const std::string& pool : machine.facts.pools) ++declared[pool];
    if (IsDefaultWithGpus(machine.facts)) ++with_gpus;
  }
  if (timed != state.timed) problems->push_back("the machines where something ends in time differ");
  if (declared != state.declared_pools || with_gpus != state.default_with_gpus) {
    problems->push_back("the pools that machines declare differ from what was counted");
  }
}

void CheckMachine(const MachineRecord& machine, const MachineRecord& expected, Problems* problems) {
  const std::string& name = machine.facts.name;
  if (machine.holding != expected.holding || machine.reserved != expected.reserved ||
      machine.gpus_held != expected.gpus_held || machine.timed != expected.timed ||
      machine.promised != expected.promised || machine.gpus_promised != expected.gpus_promised) {
    problems->push_back(fmt::format("machine {}: its books differ from the steps' states", name));
  }
  if (machine.session != 0 &&
      machine.facts.lease.value_or(machine.told_lease) < machine.told_lease) {
    problems->push_back(fmt::format("machine {}: its agent was told a longer lease", name));
  }
  if (!machine.reserved.FitsInto(machine.facts.capacity)) {
    problems->push_back(fmt::format("machine {}: {} reserved of {}",
                                    name,
                                    ToString(machine.reserved),
                                    ToString(machine.facts.capacity)));
  }
  if (machine.facts.labels != EditedLabels(machine.facts.agent_labels, machine.facts.label_edits)) {
    problems->push_back(fmt::format("machine {}: its labels are not the edited ones", name));
  }
  const Liveness liveness = machine.facts.liveness;
  const bool away = liveness == Liveness::kLost || liveness == Liveness::kGone;
  if (away && (!machine.holding.empty() || machine.session != 0)) {
    problems->push_back(
        fmt::format("machine {}: is lost or gone, but holds attempts or a session", name));
  }
}

}  // namespace

void CheckMachines(const State& state, Problems* problems) {
  std::map<MachineId, MachineRecord> expected = CountHoldings(state, problems);
  CheckMachineSets(state, problems);
  for (const auto& [id, machine] : state.machines) {
    CheckMachine(machine, expected[id], problems);
    expected.erase(id);
  }
  for (const auto& [id, machine] : expected) {
    problems->push_back(fmt::format("machine {}: holds attempts and is unknown", id));
  }
}

// What is counted of each pool is what its steps hold.
void CheckPoolUse(const State& state, Problems* problems) {
  std::map<std::string, PoolUse> expected;
  for (const auto& [id, run] : state.runs) {
    if (run.plan == nullptr) continue;
    for (std::uint32_t i = 0; i < run.steps.size(); ++i) {
      if (PlacementOf(run.steps[i].state()) == nullptr) continue;
      PoolUse& use = expected[run.plan->shape_of(i).pool];
      ++use.steps;
      use.resources += RequestOf(run, i);
    }
  }
  if (expected == state.pool_use) return;
  problems->emplace_back("the use of pools differs from the steps' states");
}

}  // namespace potok::server
