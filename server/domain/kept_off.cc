#include "server/domain/kept_off.h"

#include <functional>
#include <vector>

#include "fmt/format.h"
#include "server/domain/fit.h"

namespace potok::server {

namespace {

using MachineList = std::vector<const MachineRecord*>;

std::string Counted(std::int64_t count, const char* noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

// "4 running steps, 8 CPUs, 64 GiB memory, 2 GPUs"
std::string PoolLimitsText(const PoolLimits& limits) {
  std::string text;
  const auto add = [&text](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (limits.running_steps) add(Counted(*limits.running_steps, "running step"));
  if (limits.cpu_millis) add(fmt::format("{:g} CPUs", *limits.cpu_millis / 1000.0));
  if (limits.memory_bytes) add(FormatBytes(*limits.memory_bytes) + " memory");
  if (limits.gpu_millis) {
    add(fmt::format(
        "{} GPU{}", FormatGpus(*limits.gpu_millis), *limits.gpu_millis == kMillisOfGpu ? "" : "s"));
  }
  return text;
}

// "3 machines are cordoned", "gpu-1 is cordoned (a new disk)": of one its reason.
void AddKeptOff(const MachineList& machines,
                const char* how,
                const std::function<std::string(const MachineChanged&)>& reason_of,
                KeptOff* kept_off) {
  if (machines.empty()) return;
  kept_off->machines += machines.size();
  if (!kept_off->text.empty()) kept_off->text += ", ";
  if (machines.size() > 1) {
    kept_off->text += fmt::format("{} machines are {}", machines.size(), how);
    return;
  }
  const MachineChanged& machine = machines.front()->facts;
  const std::string reason = reason_of(machine);
  kept_off->text += fmt::format(
      "{} is {}{}", machine.name, how, reason.empty() ? "" : fmt::format(" ({})", reason));
}

}  // namespace

std::string KeptOffBy(const MachineRecord& machine) {
  if (TakesSteps(machine)) return "";
  if (IsCordoned(machine.facts)) {
    return machine.facts.cordon->state == CordonState::kDraining ? "draining" : "cordoned";
  }
  return machine.facts.quarantine.has_value() ? "quarantined" : "not connected";
}

KeptOff KeptOffOf(const State& state, const Pools& pools, const Shape& shape) {
  const std::string pool = pools.Resolve(shape.pool);
  std::map<std::string, MachineList> by_why;
  for (const auto& [id, machine] : state.machines) {
    if (machine.facts.name.empty() || machine.facts.liveness == Liveness::kGone) continue;
    if (TakesSteps(machine)) continue;
    if (!pools.Holds(machine, pool) || !CouldHold(machine, shape, pools)) continue;
    by_why[KeptOffBy(machine)].push_back(&machine);
  }
  const auto why_cordoned = [](const MachineChanged& machine) { return machine.cordon->reason; };
  const auto why_quarantined = [](const MachineChanged& machine) {
    return machine.quarantine->reason;
  };
  const auto why_away = [](const MachineChanged&) { return std::string(); };
  KeptOff kept_off;
  AddKeptOff(by_why["cordoned"], "cordoned", why_cordoned, &kept_off);
  AddKeptOff(by_why["draining"], "draining", why_cordoned, &kept_off);
  AddKeptOff(by_why["quarantined"], "quarantined", why_quarantined, &kept_off);
  AddKeptOff(by_why["not connected"], "not connected", why_away, &kept_off);
  return kept_off;
}

std::string HeldByLimits(const Pools& pools, const Shape& shape) {
  const PoolChanged* registered = pools.Registered(shape.pool);
  if (registered == nullptr || pools.RoomIn(shape.pool).Fits(shape.request, shape.machines))
    return "";
  const PoolUse used = pools.UseOf(shape.pool);
  return fmt::format("pool '{}' is at its limits ({}); in use: {}, {}",
                     registered->name,
                     PoolLimitsText(registered->limits),
                     Counted(used.steps, "running step"),
                     ToString(used.resources));
}

std::string BeyondLimits(const Pools& pools, const Shape& shape) {
  const PoolChanged* registered = pools.Registered(shape.pool);
  if (registered == nullptr || RoomOf(registered->limits, {}).Fits(shape.request, shape.machines))
    return "";
  return fmt::format("needs {}{}, and the limits of pool '{}' are {}",
                     shape.machines == 1 ? "" : fmt::format("{} times ", shape.machines),
                     ToString(shape.request),
                     registered->name,
                     PoolLimitsText(registered->limits));
}

}  // namespace potok::server
