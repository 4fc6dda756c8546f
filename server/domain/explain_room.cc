// Where a queued step could be placed: machines by what they lack, and when there will be room.
#include <algorithm>
#include <functional>
#include <iterator>
#include <map>

#include "fmt/format.h"
#include "server/domain/fit.h"
#include "server/domain/kept_off.h"
#include "server/domain/placement.h"
#include "server/domain/reservation.h"

namespace potok::server {

namespace {

constexpr std::size_t kGroupsMax = 10;

std::string Machines(std::size_t count) {
  return fmt::format("{} machine{}", count, count == 1 ? "" : "s");
}

// "1 GPU free of 8, needs 2", "at most 0.4 of a GPU free, needs 0.5"
std::string GpuLackText(const MachineRecord& machine, const Shape& shape) {
  const std::int32_t millis = MillisOfEach(shape.request);
  std::int32_t count = 0;
  std::int32_t most = 0;
  for (const GpuRoom& gpu : GpusOf(machine)) {
    if (!SuitsShape(gpu, shape)) continue;
    most = std::max(most, gpu.free_millis);
    if (gpu.free_millis >= millis) ++count;
  }
  if (millis < kMillisOfGpu) {
    return fmt::format("at most {} of a GPU free, needs {}", FormatGpus(most), FormatGpus(millis));
  }
  return fmt::format("{} GPU{} free of {}, needs {}",
                     count,
                     count == 1 ? "" : "s",
                     FormatGpus(machine.facts.capacity.gpu_millis),
                     FormatGpus(shape.request.gpu_millis));
}

std::string BytesLackText(const char* what,
                          std::int64_t free,
                          std::int64_t all,
                          std::int64_t needs) {
  return fmt::format("{} {} free of {}, needs {}",
                     FormatBytes(std::max<std::int64_t>(free, 0)),
                     what,
                     FormatBytes(all),
                     FormatBytes(needs));
}

// The first thing that lacks; empty if nothing does.
std::string LackText(const MachineRecord& machine, const Shape& shape) {
  const Resources& request = shape.request;
  const Resources& capacity = machine.facts.capacity;
  const Resources free = FreeOf(machine);
  const Resources lack = LackOf(request, free);
  if (lack.gpu_millis > 0 || GpuLackOf(GpusOf(machine), shape) > 0) {
    return GpuLackText(machine, shape);
  }
  if (lack.memory_bytes > 0) {
    return BytesLackText("memory", free.memory_bytes, capacity.memory_bytes, request.memory_bytes);
  }
  if (lack.cpu_millis > 0) {
    return fmt::format("{:g} CPUs free of {:g}, needs {:g}",
                       std::max(free.cpu_millis, 0) / 1000.0,
                       capacity.cpu_millis / 1000.0,
                       request.cpu_millis / 1000.0);
  }
  if (lack.disk_bytes > 0) {
    return BytesLackText("disk", free.disk_bytes, capacity.disk_bytes, request.disk_bytes);
  }
  if (lack.named.empty()) return "";
  const std::string& name = lack.named.begin()->first;
  return fmt::format("{} {} free of {}, needs {}",
                     std::max<std::int64_t>(NamedOf(free, name), 0),
                     name,
                     NamedOf(capacity, name),
                     NamedOf(request, name));
}

std::string ReasonOf(const MachineRecord& machine,
                     const Shape& shape,
                     const Pools& pools,
                     bool is_limited) {
  if (!CarriesLabels(machine, shape)) return "without the labels that it asks for";
  if (!HasRuntime(machine.facts, shape, pools)) {
    return RuntimesOf(shape, pools) == shape.runtimes
               ? "without the isolation that it asks for"
               : "without the containers in which its pool runs images";
  }
  const std::string closed = KeptOffBy(machine);
  if (!closed.empty()) return closed;
  const std::string lack = LackText(machine, shape);
  if (!lack.empty()) return lack;
  return is_limited ? "with room for it, beyond the limits of its pool"
                    : "with room for it, which others come first for";
}

// The shape of a step that is queued and may be placed, or nothing.
std::optional<Shape> ShapeOfQueued(const State& state, const StepKey& step) {
  const auto run = state.runs.find(step.run);
  if (run == state.runs.end() || step.index >= run->second.steps.size()) {
    return std::nullopt;
  }
  const bool is_queued = run->second.plan != nullptr &&
                         state.queued.Contains(PlaceOf(run->second, step.index)) &&
                         ParkedOf(run->second) == Parked::kNot;
  if (!is_queued) return std::nullopt;
  return ShapeAskedFor(run->second, step.index);
}

}  // namespace

std::vector<std::string> ExplainMachines(const State& state,
                                         const StepKey& step,
                                         const DecideOptions& options) {
  const std::optional<Shape> shape = ShapeOfQueued(state, step);
  if (!shape.has_value()) return {};
  const Pools pools(state, options);
  const std::string pool = pools.Resolve(shape->pool);
  const bool is_limited = !pools.RoomIn(pool).Fits(shape->request, shape->machines);
  std::map<std::string, std::size_t> groups;
  for (const auto& [id, machine] : state.machines) {
    if (machine.facts.name.empty() || machine.facts.liveness == Liveness::kGone) continue;
    if (pools.Holds(machine, pool)) ++groups[ReasonOf(machine, *shape, pools, is_limited)];
  }
  // The largest groups first.
  std::multimap<std::size_t, std::string, std::greater<>> by_size;
  for (const auto& [reason, count] : groups) by_size.emplace(count, reason);
  std::vector<std::string> lines;
  std::size_t rest = 0;
  for (const auto& [count, reason] : by_size) {
    if (lines.size() < kGroupsMax) {
      lines.push_back(fmt::format("{}: {}", Machines(count), reason));
    } else {
      rest += count;
    }
  }
  if (rest > 0) lines.push_back(fmt::format("{}: other reasons", Machines(rest)));
  return lines;
}

std::string ExplainOpening(const State& state,
                           const StepKey& step,
                           const DecideOptions& options,
                           absl::Time now) {
  const std::optional<Shape> shape = ShapeOfQueued(state, step);
  if (!shape.has_value()) return "";
  const Pools pools(state, options);
  const std::string pool = pools.Resolve(shape->pool);
  if (!pools.RoomIn(pool).Fits(shape->request, shape->machines)) return "";
  std::multimap<absl::Time, const MachineRecord*> openings;
  for (const auto& [id, machine] : state.machines) {
    if (!TakesSteps(machine)) continue;
    if (!pools.Holds(machine, pool) || !CouldHold(machine, *shape, pools)) continue;
    const Opening opening =
        OpeningFor(state, machine, FreeOf(machine), GpusOf(machine), *shape, now);
    openings.emplace(opening.at, &machine);
  }
  // A step on several machines begins when the last of them has room.
  const auto wanted = static_cast<std::size_t>(shape->machines);
  if (openings.size() < wanted) return "";
  const auto [at, where] = *std::next(openings.begin(), shape->machines - 1);
  if (at <= now || at == absl::InfiniteFuture()) return "";
  return fmt::format(
      "by the time limits of what runs there is room on {}{} at {} at the latest, if nothing comes "
      "before it",
      where->facts.name,
      wanted == 1 ? "" : fmt::format(", the last of {} machines,", wanted),
      absl::FormatTime(absl::RFC3339_sec, at, absl::UTCTimeZone()));
}

}  // namespace potok::server
