#include "client/cli/show/machine_text.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "client/cli/show/lease_text.h"
#include "client/cli/text/printable.h"
#include "client/cli/text/table.h"
#include "client/potok_client/run_state.h"
#include "common/base/resources.h"
#include "common/rpc/pipeline_convert.h"
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace potok::client {
namespace {

// "2 of 8"
std::string UsedOf(const std::string& used, const std::string& all) {
  return used + " of " + all;
}

std::string Cpus(std::int32_t millis) {
  return fmt::format("{}", static_cast<double>(millis) / 1000.0);
}

// Those that its agent declares and those that hold it besides: what `compute` may say.
std::string PoolsOf(const v1::Machine& machine) {
  std::set<std::string> pools(machine.pools().begin(), machine.pools().end());
  pools.insert(machine.selected_by().begin(), machine.selected_by().end());
  return fmt::format("{}", fmt::join(pools, ", "));
}

// "by ann at 2026-11-23 12:03:11: a new disk"
std::string WhoAndWhy(const std::string& by,
                      std::int64_t at_us,
                      const std::string& reason,
                      absl::TimeZone zone) {
  std::string text = by.empty() ? "" : "by " + by + " ";
  text += "at " + LocalTime(at_us, zone);
  return Printable(reason.empty() ? text : text + ": " + reason);
}

// A label a line, with where it comes from.
std::string LabelLines(const v1::Machine& machine, absl::TimeZone zone) {
  std::map<std::string, std::string> lines;
  for (const auto& [name, value] : machine.labels()) {
    lines[name] = fmt::format("{}={} (of its agent)", name, value);
  }
  for (const v1::LabelEdit& edit : machine.label_edits()) {
    const std::string who = WhoAndWhy(edit.by(), edit.at_us(), edit.reason(), zone);
    lines[edit.name()] = edit.removed()
                             ? fmt::format("{} is removed ({})", edit.name(), who)
                             : fmt::format("{}={} (set {})", edit.name(), edit.value(), who);
  }
  std::string text;
  for (const auto& [name, line] : lines) text += "Label " + Printable(line) + "\n";
  return text;
}

std::string CordonLine(const v1::Machine& machine, absl::TimeZone zone) {
  if (!machine.has_cordon()) return "";
  const v1::Cordon& cordon = machine.cordon();
  const std::string who = WhoAndWhy(cordon.by(), cordon.at_us(), cordon.reason(), zone);
  switch (cordon.state()) {
    case v1::CORDON_STATE_CORDONED:
      return "Cordoned " + who + "\n";
    case v1::CORDON_STATE_DRAINING:
      return "Drained " + who +
             (cordon.deadline_us() == 0
                  ? "; steps may go on until they end\n"
                  : "; steps may go on until " + LocalTime(cordon.deadline_us(), zone) + "\n");
    default:
      return "Uncordoned " + who + "\n";
  }
}

std::string QuarantineLine(const v1::Machine& machine, absl::TimeZone zone) {
  if (!machine.has_quarantine()) return "";
  return fmt::format("Quarantined at {}, until {} or `potok machine uncordon {}`: {}\n",
                     LocalTime(machine.quarantine().at_us(), zone),
                     LocalTime(machine.quarantine().until_us(), zone),
                     machine.name(),
                     Printable(machine.quarantine().reason()));
}

// What keeps new steps off a machine that answers; empty: nothing.
std::string KeptOff(const v1::Machine& machine) {
  const int steps = machine.steps_size();
  switch (machine.cordon().state()) {
    case v1::CORDON_STATE_CORDONED:
      return "Cordoned";
    case v1::CORDON_STATE_DRAINING:
      if (steps == 0) return "Drained";
      return fmt::format("Draining, {} step{}", steps, steps == 1 ? "" : "s");
    default:
      return machine.has_quarantine() ? "Quarantined" : "";
  }
}

// "fpga 1 of 2, licence 0 of 4"
std::string NamedText(const v1::Machine& machine) {
  const v1::Resources& capacity = machine.capacity();
  const std::map<std::string, std::int64_t> named(capacity.named().begin(), capacity.named().end());
  std::string text;
  for (const auto& [name, count] : named) {
    const auto used = machine.reserved().named().find(name);
    const std::int64_t held = used == machine.reserved().named().end() ? 0 : used->second;
    text += fmt::format("{}{} {} of {}", text.empty() ? "" : ", ", name, held, count);
  }
  return text;
}

// "1.2 GiB, 3m5s of CPU time"; empty until the agent has said it.
std::string UsageNow(const v1::StepOnMachine& step) {
  if (!step.has_usage()) return "";
  return fmt::format("{}, {} of CPU time",
                     FormatBytes(step.usage().memory_bytes()),
                     ShortDuration(absl::Microseconds(step.usage().cpu_us())));
}

}  // namespace

std::string MachineState(const v1::Machine& machine) {
  const std::string kept_off = KeptOff(machine);
  const bool ready = machine.liveness() == v1::LIVENESS_READY;
  if (kept_off.empty()) return NameOf(machine.liveness());
  if (ready) return kept_off;
  std::string lower = kept_off;
  lower.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(lower.front())));
  return NameOf(machine.liveness()) + ", " + lower;
}

std::string MachineTable(const std::vector<v1::Machine>& machines, const TableStyle& style) {
  const bool any_named = std::ranges::any_of(
      machines, [](const v1::Machine& machine) { return !machine.capacity().named().empty(); });
  std::vector<std::vector<std::string>> rows;
  for (const v1::Machine& machine : machines) {
    const v1::Resources& reserved = machine.reserved();
    const v1::Resources& capacity = machine.capacity();
    rows.push_back(
        {machine.name(),
         MachineState(machine),
         UsedOf(FormatBytes(reserved.memory_bytes()), FormatBytes(capacity.memory_bytes())),
         UsedOf(Cpus(reserved.cpu_millis()), Cpus(capacity.cpu_millis())),
         UsedOf(FormatGpus(GpuMillisOf(reserved)), FormatGpus(GpuMillisOf(capacity))),
         fmt::format("{}", machine.steps_size()),
         PoolsOf(machine)});
    if (any_named) rows.back().push_back(NamedText(machine));
  }
  if (rows.empty()) return "No machines yet: start an agent (`potok up` starts one here)\n";
  std::vector<std::string> heads = {"MACHINE", "STATE", "MEMORY", "CPUS", "GPUS", "STEPS", "POOLS"};
  if (any_named) heads.emplace_back("COUNTED");
  return Table(heads, rows, style);
}

std::string MachineText(const v1::Machine& machine, absl::TimeZone zone, const TableStyle& style) {
  std::string text = MachineTable({machine}, style);
  for (const v1::Gpu& gpu : machine.gpus()) {
    text += fmt::format(
        "GPU {}: {}, {}", gpu.index(), Printable(gpu.model()), FormatBytes(gpu.memory_bytes()));
    if (gpu.reserved_millis() != 0) {
      text += fmt::format(", {} in use", FormatGpus(gpu.reserved_millis()));
    }
    text += "\n";
  }
  if (machine.capacity().disk_bytes() != 0) {
    text += fmt::format("Disk: {}\n",
                        UsedOf(FormatBytes(machine.reserved().disk_bytes()),
                               FormatBytes(machine.capacity().disk_bytes())));
  }
  text += CordonLine(machine, zone) + QuarantineLine(machine, zone) + LabelLines(machine, zone);
  if (machine.runtimes_size() > 0) {
    text +=
        "Runs commands as: " + Printable(fmt::format("{}", fmt::join(machine.runtimes(), ", "))) +
        "\n";
  }
  if (machine.held_artifacts() > 0) {
    text +=
        fmt::format("Holds {} artifact{} of 1 MiB or more, {} in all, from steps that ran here\n",
                    machine.held_artifacts(),
                    machine.held_artifacts() == 1 ? "" : "s",
                    FormatBytes(machine.held_bytes()));
  }
  text += fmt::format("Isolation {}, agent {}, last heard {}{}\n",
                      Printable(machine.isolation()),
                      Printable(machine.agent_version()),
                      LocalTime(machine.last_heard_us(), zone),
                      machine.has_lease_ms() ? ", lease " + LeaseText(machine.lease_ms()) : "");
  if (machine.steps_size() == 0) return text;
  std::vector<std::vector<std::string>> rows;
  for (const v1::StepOnMachine& step : machine.steps()) {
    rows.push_back({step.run(),
                    step.step(),
                    step.leaving() ? "Leaving" : NameOf(step.status()),
                    FormatBytes(step.resources().memory_bytes()),
                    Cpus(step.resources().cpu_millis()),
                    FormatGpus(GpuMillisOf(step.resources())),
                    UsageNow(step)});
  }
  return text + Table({"RUN", "STEP", "STATE", "MEMORY", "CPUS", "GPUS", "USES"}, rows, style);
}

}  // namespace potok::client
