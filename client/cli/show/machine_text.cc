#include "client/cli/show/machine_text.h"

#include <algorithm>

#include "client/cli/text/printable.h"
#include "client/cli/text/table.h"
#include "client/potok_client/run_state.h"
#include "common/base/resources.h"
#include "common/rpc/pipeline_convert.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

// "2 of 8"
std::string UsedOf(const std::string& used, const std::string& all) {
  return used + " of " + all;
}

std::string Cpus(std::int32_t millis) {
  return fmt::format("{}", static_cast<double>(millis) / 1000.0);
}

std::string Joined(const google::protobuf::RepeatedPtrField<std::string>& texts) {
  std::string joined;
  for (const std::string& text : texts) joined += (joined.empty() ? "" : ", ") + text;
  return joined;
}

std::string Labels(const v1::Machine& machine) {
  const std::map<std::string, std::string> sorted(machine.labels().begin(), machine.labels().end());
  std::string joined;
  for (const auto& [key, value] : sorted) {
    joined += fmt::format("{}{}={}", joined.empty() ? "" : ", ", key, value);
  }
  return joined;
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

std::string MachineTable(const std::vector<v1::Machine>& machines, const TableStyle& style) {
  const bool any_named = std::ranges::any_of(
      machines, [](const v1::Machine& machine) { return !machine.capacity().named().empty(); });
  std::vector<std::vector<std::string>> rows;
  for (const v1::Machine& machine : machines) {
    const v1::Resources& reserved = machine.reserved();
    const v1::Resources& capacity = machine.capacity();
    rows.push_back(
        {machine.name(),
         NameOf(machine.liveness()),
         UsedOf(FormatBytes(reserved.memory_bytes()), FormatBytes(capacity.memory_bytes())),
         UsedOf(Cpus(reserved.cpu_millis()), Cpus(capacity.cpu_millis())),
         UsedOf(FormatGpus(GpuMillisOf(reserved)), FormatGpus(GpuMillisOf(capacity))),
         fmt::format("{}", machine.steps_size()),
         Joined(machine.pools())});
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
  if (machine.labels_size() > 0) text += "Labels: " + Printable(Labels(machine)) + "\n";
  text += fmt::format("Isolation {}, agent {}, last heard {}\n",
                      Printable(machine.isolation()),
                      Printable(machine.agent_version()),
                      LocalTime(machine.last_heard_us(), zone));
  if (machine.steps_size() == 0) return text;
  std::vector<std::vector<std::string>> rows;
  for (const v1::StepOnMachine& step : machine.steps()) {
    rows.push_back({step.run(),
                    step.step(),
                    NameOf(step.status()),
                    FormatBytes(step.resources().memory_bytes()),
                    Cpus(step.resources().cpu_millis()),
                    FormatGpus(GpuMillisOf(step.resources())),
                    UsageNow(step)});
  }
  return text + Table({"RUN", "STEP", "STATE", "MEMORY", "CPUS", "GPUS", "USES"}, rows, style);
}

}  // namespace potok::client
