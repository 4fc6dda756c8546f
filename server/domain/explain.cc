#include <algorithm>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <tuple>

#include "common/pipeline/control.h"
#include "fmt/format.h"
#include "server/domain/fit.h"
#include "server/domain/placement.h"

namespace potok::server {

namespace {

constexpr std::size_t kLinesMax = 20;

std::string Plural(std::size_t count, const char* noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

bool IsKnown(const MachineRecord& machine) {
  return machine.facts.liveness != Liveness::kGone && !machine.facts.name.empty();
}

// The machines of a pool, the one that comes nearest to holding a request, and what it lacks.
struct Survey {
  std::size_t in_pool = 0;
  std::size_t with_labels = 0;
  const MachineRecord* nearest = nullptr;
  Resources lack;
};

enum class Against { kCapacity, kFree };

Survey Look(const State& state, const Pools& pools, const Shape& shape, Against against) {
  Survey survey;
  std::optional<std::tuple<std::int64_t, std::int64_t, std::int64_t>> least;
  const std::string pool = pools.Resolve(shape.pool);
  for (const auto& [id, machine] : state.machines) {
    if (!IsKnown(machine) || !pools.Holds(machine.facts, pool)) continue;
    ++survey.in_pool;
    if (!CarriesLabels(machine.facts, shape.labels)) continue;
    ++survey.with_labels;
    if (against == Against::kFree && !CouldHold(machine.facts, shape)) continue;
    const Resources lack =
        LackOf(shape.request, against == Against::kFree ? FreeOf(machine) : machine.facts.capacity);
    const std::tuple distance(
        std::int64_t{lack.gpus}, lack.memory_bytes, std::int64_t{lack.cpu_millis});
    if (least.has_value() && *least <= distance) continue;
    least = distance;
    survey.nearest = &machine;
    survey.lack = lack;
  }
  return survey;
}

// "needs 2 GPUs, 1 is free": the first thing that lacks.
std::string Missing(const Resources& request, const Resources& has, const char* word) {
  if (request.gpus > has.gpus) {
    const std::int32_t count = std::max(has.gpus, 0);
    return fmt::format("needs {}, {} {} {}",
                       Plural(static_cast<std::size_t>(request.gpus), "GPU"),
                       count,
                       count == 1 ? "is" : "are",
                       word);
  }
  if (request.memory_bytes > has.memory_bytes) {
    return fmt::format("needs {} memory, {} is {}",
                       FormatBytes(request.memory_bytes),
                       FormatBytes(std::max<std::int64_t>(has.memory_bytes, 0)),
                       word);
  }
  const std::int32_t cpus = std::max(has.cpu_millis, 0);
  return fmt::format("needs {:g} CPU{}, {:g} {} {}",
                     request.cpu_millis / 1000.0,
                     request.cpu_millis == 1000 ? "" : "s",
                     cpus / 1000.0,
                     cpus == 1000 ? "is" : "are",
                     word);
}

std::string NearestOf(const Survey& survey) {
  if (survey.with_labels == 1) return fmt::format("on {}", survey.nearest->facts.name);
  return fmt::format(
      "on {} (the nearest of {} machines)", survey.nearest->facts.name, survey.with_labels);
}

std::string LabelsOf(const Shape& shape) {
  std::string labels;
  for (const auto& [name, value] : shape.labels) {
    labels += fmt::format("{}{}={}", labels.empty() ? "" : ", ", name, value);
  }
  return labels;
}

// Why no known machine could ever hold the shape; empty if one could.
std::string NeverFits(const State& state, const Pools& pools, const Shape& shape) {
  const Survey survey = Look(state, pools, shape, Against::kCapacity);
  if (survey.in_pool == 0) {
    return shape.pool.empty() ? "no machine is in the default pool"
                              : fmt::format("no machine is in pool '{}'", shape.pool);
  }
  if (survey.with_labels == 0) {
    return fmt::format(
        "none of {} carries the labels {}", Plural(survey.in_pool, "machine"), LabelsOf(shape));
  }
  if (survey.lack == Resources{}) return "";
  const Resources& capacity = survey.nearest->facts.capacity;
  return Missing(shape.request, capacity, "there") + " " + NearestOf(survey);
}

std::string ExplainBlocked(const RunRecord& run, std::uint32_t index) {
  for (const Edge& edge : run.plan->planned(index).upstreams) {
    const StepState& upstream = run.steps[edge.step].state;
    if (IsTerminal(upstream)) continue;
    const std::string first =
        fmt::format("waits for step '{}' ({})", run.plan->step(edge.step).name, NameOf(upstream));
    const std::uint32_t others = run.steps[index].waiting_for - 1;
    return others == 0 ? first : fmt::format("{} and {}", first, Plural(others, "other step"));
  }
  return "";
}

std::string ExplainQueued(const State& state, const Shape& shape, const DecideOptions& options) {
  const Pools pools(state, options);
  const std::string never = NeverFits(state, pools, shape);
  if (!never.empty()) return never;
  const Survey survey = Look(state, pools, shape, Against::kFree);
  const MachineRecord& nearest = *survey.nearest;
  if (survey.lack != Resources{}) {
    return Missing(shape.request, FreeOf(nearest), "free") + " " + NearestOf(survey);
  }
  if (nearest.session == 0 || nearest.facts.liveness != Liveness::kReady) {
    return fmt::format("would fit on {}, which is not connected", nearest.facts.name);
  }
  return fmt::format("would fit on {}, which is kept for a step that comes before it",
                     nearest.facts.name);
}

std::string ExplainHeld(const RunHold& hold) {
  return fmt::format("its run to be released: held by {} since {}{}",
                     hold.by.empty() ? "a user" : hold.by,
                     absl::FormatTime(absl::RFC3339_sec, hold.since, absl::UTCTimeZone()),
                     hold.reason.empty() ? "" : ": " + hold.reason);
}

std::string ExplainAfter(const State& state, const RunRecord& run) {
  std::string names;
  for (const After& after : run.after) {
    if (!state.runs.contains(after.run)) continue;
    names += fmt::format("{}'{}'", names.empty() ? "" : ", ", after.name);
  }
  return fmt::format(
      "the run{} {} to end, after which its run starts", run.waits_for == 1 ? "" : "s", names);
}

// Steps of one priority, of runs that are not parked.
std::size_t CountLevel(const State& state, std::int32_t priority, RunId before) {
  std::size_t count = 0;
  for (const auto& [id, run] : state.queued.runs()) {
    if (id >= before) break;
    const auto level = run.levels.find(priority);
    if (run.parked != Parked::kNot || level == run.levels.end()) continue;
    for (const auto& [shape, lane] : level->second) count += lane.size();
  }
  return count;
}

absl::Status CheckAll(const State& state,
                      const Plan& plan,
                      const std::optional<std::string>& moved_to,
                      const DecideOptions& options) {
  const bool any = std::any_of(state.machines.begin(), state.machines.end(), [](const auto& entry) {
    return IsKnown(entry.second);
  });
  if (!any && plan.size() > 0) {
    return absl::UnavailableError(
        "no machine is known, so no step could run; start an agent (potok up starts one)");
  }
  const Pools pools(state, options);
  std::map<Shape, std::string> reasons;  // empty: it fits
  std::string lines;
  std::size_t count = 0;
  const std::function<void(const std::vector<Step>&, const std::string&, const std::string&)>
      check =
          [&](const std::vector<Step>& steps, const std::string& above, const std::string& pool) {
            for (const Step& step : steps) {
              const std::string name = step.name.empty() ? above : above + step.name;
              const std::string& own = step.compute.empty() ? pool : step.compute;
              if (IsControl(step)) {
                check(step.control->body, name + "/", own);
                continue;
              }
              Shape shape = ShapeOf(own, step);
              if (moved_to.has_value()) shape.pool = *moved_to;
              const auto [it, is_new] = reasons.try_emplace(std::move(shape));
              if (is_new) it->second = NeverFits(state, pools, it->first);
              if (it->second.empty() || ++count > kLinesMax) continue;
              lines += fmt::format("{}jobs.{}: {}", count == 1 ? "" : "\n", name, it->second);
            }
          };
  check(plan.spec().steps, "", plan.spec().settings.default_compute);
  if (count == 0) return absl::OkStatus();
  if (count > kLinesMax) lines += fmt::format("\nand {} more", Plural(count - kLinesMax, "step"));
  return absl::FailedPreconditionError(lines);
}

}  // namespace

std::string ExplainWaiting(const State& state, const StepKey& step, const DecideOptions& options) {
  const auto it = state.runs.find(step.run);
  if (it == state.runs.end() || step.index >= it->second.steps.size()) return "";
  const RunRecord& run = it->second;
  const StepState& current = run.steps[step.index].state;
  if (std::holds_alternative<Blocked>(current) && run.waits_for > 0) {
    return ExplainAfter(state, run);
  }
  if (std::holds_alternative<Blocked>(current)) return ExplainBlocked(run, step.index);
  if (!std::holds_alternative<Queued>(current)) return "";
  if (run.hold.has_value()) return ExplainHeld(*run.hold);
  if (ParkedOf(run) == Parked::kLimit) {
    return fmt::format(
        "another step of its run to end: {} hold machines, as many as its "
        "max_running_steps allows",
        run.placed);
  }
  return ExplainQueued(state, run.plan->shape_of(step.index), options);
}

std::string ExplainPlace(const State& state, const StepKey& step, absl::Time now) {
  const auto found = state.runs.find(step.run);
  if (found == state.runs.end() || step.index >= found->second.steps.size()) return "";
  const RunRecord& run = found->second;
  const QueuePlace place = PlaceOf(run, step.index);
  if (!state.queued.Contains(place) || ParkedOf(run) != Parked::kNot) return "";
  std::size_t higher = 0;
  for (const auto& [priority, level] : state.queued.levels()) {
    if (priority <= place.priority) break;
    higher += CountLevel(state, priority, std::numeric_limits<RunId>::max());
  }
  std::size_t equal = CountLevel(state, place.priority, run.id);
  const std::pair own(place.since, step.index);
  for (const auto& [shape, lane] : state.queued.runs().at(run.id).levels.at(place.priority)) {
    equal += static_cast<std::size_t>(std::distance(lane.begin(), lane.lower_bound(own)));
  }
  return fmt::format(
      "priority {}, queued for {}: {} of higher priority {} before it, and {} of the same",
      place.priority,
      absl::FormatDuration(absl::Trunc(now - place.since, absl::Seconds(1))),
      Plural(higher, "step"),
      higher == 1 ? "comes" : "come",
      equal);
}

absl::Status CheckSatisfiable(const State& state, const Plan& plan, const DecideOptions& options) {
  return CheckAll(state, plan, std::nullopt, options);
}

absl::Status CheckPool(const State& state,
                       const Plan& plan,
                       const std::string& pool,
                       const DecideOptions& options) {
  return CheckAll(state, plan, pool, options);
}

}  // namespace potok::server
