#include <algorithm>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "common/pipeline/control.h"
#include "fmt/format.h"
#include "fmt/ranges.h"
#include "server/domain/explain_team.h"
#include "server/domain/fit.h"
#include "server/domain/kept_off.h"
#include "server/domain/placement.h"
#include "server/domain/preemption.h"

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
  std::size_t enough = 0;        // of those: that lack nothing
  std::size_t members = 0;       // that find room on all of them together
  std::size_t with_runtime = 0;  // of these
  const MachineRecord* nearest = nullptr;
  std::vector<GpuRoom> gpus;  // of the nearest
  Resources has;
  Resources lack;
  // Of the nearest. Among equals one with GPUs, though of others, says more than one with none.
  std::pair<LackRank, bool> rank;
};

enum class Against { kCapacity, kFree };

Survey Look(const State& state, const Pools& pools, const Shape& shape, Against against) {
  Survey survey;
  const std::string pool = pools.Resolve(shape.pool);
  for (const auto& [id, machine] : state.machines) {
    if (!IsKnown(machine) || !pools.Holds(machine, pool)) continue;
    ++survey.in_pool;
    if (!CarriesLabels(machine, shape)) continue;
    ++survey.with_labels;
    if (!HasRuntime(machine.facts, shape)) continue;
    ++survey.with_runtime;
    const bool is_free = against == Against::kFree;
    if (is_free && !(CouldHold(machine, shape) && TakesSteps(machine))) continue;
    const Resources has = is_free ? FreeOf(machine) : machine.facts.capacity;
    std::vector<GpuRoom> gpus = is_free ? GpusOf(machine) : AllGpusOf(machine.facts);
    Resources lack = LackOf(shape.request, has);
    lack.gpu_millis = std::max(lack.gpu_millis, GpuLackOf(gpus, shape));
    if (lack == Resources{}) ++survey.enough;
    survey.members += TimesFits(has, gpus, shape, static_cast<std::size_t>(shape.machines));
    const std::pair rank(LackRankOf(lack), lack.gpu_millis > 0 && gpus.empty());
    if (survey.nearest != nullptr && survey.rank <= rank) continue;
    survey.rank = rank;
    survey.nearest = &machine;
    survey.gpus = std::move(gpus);
    survey.has = has;
    survey.lack = lack;
  }
  return survey;
}

// "2 GPUs of A100 or H100 with 40 GiB"
std::string WantedGpus(const Shape& shape) {
  std::string text = fmt::format("{} GPU{}",
                                 FormatGpus(shape.request.gpu_millis),
                                 shape.request.gpu_millis == kMillisOfGpu ? "" : "s");
  if (!shape.gpu_models.empty()) {
    text += fmt::format(" of {}", fmt::join(shape.gpu_models, " or "));
  }
  if (shape.gpu_memory_bytes > 0) text += " with " + FormatBytes(shape.gpu_memory_bytes);
  return text;
}

// " (there are T4 with 15 GiB)": why GPUs that are there do not count; empty where all would.
std::string GpusThatDoNotSuit(const Survey& survey, const Shape& shape) {
  std::set<std::string> others;
  for (const GpuRoom& gpu : survey.gpus) {
    if (SuitsShape(gpu, shape)) continue;
    others.insert(gpu.facts == nullptr
                      ? std::string("GPUs of an unknown model")
                      : fmt::format("{} with {}",
                                    gpu.facts->model.empty() ? "GPUs" : gpu.facts->model,
                                    FormatBytes(gpu.facts->memory_bytes)));
  }
  return others.empty() ? "" : fmt::format(" (there are {})", fmt::join(others, ", "));
}

// "needs 2 GPUs, 1 is free"
std::string MissingGpus(const Survey& survey, const Shape& shape, const char* word) {
  const std::int32_t millis = MillisOfEach(shape.request);
  std::int32_t count = 0;
  std::int32_t most = 0;
  for (const GpuRoom& gpu : survey.gpus) {
    if (!SuitsShape(gpu, shape)) continue;
    most = std::max(most, gpu.free_millis);
    if (gpu.free_millis >= millis) ++count;
  }
  const std::string others = GpusThatDoNotSuit(survey, shape);
  if (millis < kMillisOfGpu && most > 0) {
    return fmt::format(
        "needs {}, at most {} of one is {}{}", WantedGpus(shape), FormatGpus(most), word, others);
  }
  return fmt::format(
      "needs {}, {} {} {}{}", WantedGpus(shape), count, count == 1 ? "is" : "are", word, others);
}

std::string MissingBytes(const char* what, std::int64_t needs, std::int64_t has, const char* word) {
  return fmt::format("needs {} {}, {} is {}",
                     FormatBytes(needs),
                     what,
                     FormatBytes(std::max<std::int64_t>(has, 0)),
                     word);
}

// The first thing that lacks: "needs 8 GiB memory, 4 GiB is free".
std::string Missing(const Survey& survey, const Shape& shape, const char* word) {
  const Resources& request = shape.request;
  const Resources& lack = survey.lack;
  const Resources& has = survey.has;
  if (lack.gpu_millis > 0) return MissingGpus(survey, shape, word);
  if (lack.memory_bytes > 0) {
    return MissingBytes("memory", request.memory_bytes, has.memory_bytes, word);
  }
  if (lack.cpu_millis > 0) {
    const std::int32_t cpus = std::max(has.cpu_millis, 0);
    return fmt::format("needs {:g} CPU{}, {:g} {} {}",
                       request.cpu_millis / 1000.0,
                       request.cpu_millis == 1000 ? "" : "s",
                       cpus / 1000.0,
                       cpus == 1000 ? "is" : "are",
                       word);
  }
  if (lack.disk_bytes > 0) return MissingBytes("disk", request.disk_bytes, has.disk_bytes, word);
  const std::string& name = lack.named.begin()->first;
  const std::int64_t count = std::max<std::int64_t>(NamedOf(has, name), 0);
  return fmt::format("needs {} {}, {} {} {}",
                     NamedOf(request, name),
                     name,
                     count,
                     count == 1 ? "is" : "are",
                     word);
}

std::string NearestOf(const Survey& survey) {
  if (survey.with_runtime == 1) return fmt::format("on {}", survey.nearest->facts.name);
  return fmt::format(
      "on {} (the nearest of {} machines)", survey.nearest->facts.name, survey.with_runtime);
}

// "runs as 3 members at once; 2 machines together could hold 1"
std::string Several(const Survey& survey, const Shape& shape, const char* what) {
  return fmt::format("runs as {} members at once; {} together {} {}",
                     shape.machines,
                     Plural(survey.with_labels, "machine"),
                     what,
                     survey.members);
}

std::string WantedLabels(const Shape& shape) {
  std::string labels;
  for (const auto& [name, value] : shape.labels) {
    labels += fmt::format("{}{}={}", labels.empty() ? "" : ", ", name, value);
  }
  return labels;
}

// What the shape asks of the machine's labels and is false.
std::vector<std::string> FalseOf(const MachineRecord& machine, const Shape& shape) {
  std::vector<std::string> wrong = shape.expression.WhyNot(machine.labels);
  for (const auto& [name, value] : shape.labels) {
    const auto it = machine.labels.find(name);
    if (it != machine.labels.end() && it->second == value) continue;
    wrong.push_back(it == machine.labels.end()
                        ? fmt::format("{}={} is false (there is no {})", name, value, name)
                        : fmt::format("{}={} is false ({} is {})", name, value, name, it->second));
  }
  return wrong;
}

// Of a pool none of whose machines has the labels.
std::string MissingLabels(const State& state,
                          const Pools& pools,
                          const Shape& shape,
                          std::size_t in_pool) {
  if (shape.expression.is_empty()) {
    return fmt::format(
        "none of {} carries the labels {}", Plural(in_pool, "machine"), WantedLabels(shape));
  }
  const std::string pool = pools.Resolve(shape.pool);
  const MachineRecord* nearest = nullptr;
  std::vector<std::string> least;
  for (const auto& [id, machine] : state.machines) {
    if (!IsKnown(machine) || !pools.Holds(machine, pool)) continue;
    std::vector<std::string> wrong = FalseOf(machine, shape);
    if (nearest != nullptr && least.size() <= wrong.size()) continue;
    nearest = &machine;
    least = std::move(wrong);
  }
  const std::string where =
      in_pool == 1 ? nearest->facts.name : nearest->facts.name + ", the nearest";
  return fmt::format("none of {} has the labels that it asks for: on {}, {}",
                     Plural(in_pool, "machine"),
                     where,
                     fmt::join(least, " and "));
}

std::string NobodyIn(const Pools& pools, const std::string& pool) {
  if (pool.empty()) return "no machine is in the default pool";
  const PoolChanged* registered = pools.Registered(pool);
  if (registered == nullptr || registered->selector.empty()) {
    return fmt::format("no machine is in pool '{}'", pool);
  }
  return fmt::format("no machine is in pool '{}': of none is {} true", pool, registered->selector);
}

std::string MissingRuntime(const Shape& shape, std::size_t machines) {
  const bool needs_engine = !shape.runtimes.contains("sandbox");
  return fmt::format("{}, and none of {} can run commands so ({}); {}, or see `potok machine show`",
                     needs_engine ? "asks for a container" : "asks for isolation or no network",
                     Plural(machines, "machine"),
                     fmt::join(shape.runtimes, " or "),
                     needs_engine ? "start an agent there with --images=container"
                                  : "install bubblewrap there and start the agent again");
}

// Why no known machine could ever hold the shape; empty if one could.
std::string NeverFits(const State& state, const Pools& pools, const Shape& shape) {
  const Survey survey = Look(state, pools, shape, Against::kCapacity);
  if (!pools.Knows(shape.pool) && !pools.Resolve(shape.pool).empty()) {
    return NoSuchPool(pools, shape.pool);
  }
  if (survey.in_pool == 0) {
    return NobodyIn(pools, shape.pool);
  }
  if (survey.with_labels == 0) return MissingLabels(state, pools, shape, survey.in_pool);
  if (survey.with_runtime == 0) return MissingRuntime(shape, survey.with_labels);
  const std::string beyond = BeyondLimits(pools, shape);
  if (!beyond.empty()) return beyond;
  const auto wanted = static_cast<std::size_t>(shape.machines);
  if (survey.lack == Resources{} && survey.members >= wanted) return "";
  if (survey.lack == Resources{}) return Several(survey, shape, "could hold");
  return Missing(survey, shape, "there") + " " + NearestOf(survey);
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

// Of a step of which not all members find a machine of their own now.
std::string ExplainSeveral(const Survey& survey, const Shape& shape) {
  return fmt::format("needs {} machines at once; {} of {} have room for one of its members now",
                     shape.machines,
                     survey.enough,
                     survey.with_labels);
}

std::string ExplainQueued(const State& state, const Shape& shape, const DecideOptions& options) {
  const Pools pools(state, options);
  const std::string never = NeverFits(state, pools, shape);
  if (!never.empty()) return never;
  const std::string limited = HeldByLimits(state, pools, shape);
  if (!limited.empty()) return limited;
  const KeptOff kept_off = KeptOffOf(state, pools, shape);
  const Survey survey = Look(state, pools, shape, Against::kFree);
  if (survey.nearest == nullptr) {
    return (kept_off.machines == 1 ? "the only machine that could hold it takes no new steps: "
                                   : "no machine that could hold it takes new steps: ") +
           kept_off.text;
  }
  const MachineRecord& nearest = *survey.nearest;
  const std::string others = kept_off.text.empty() ? "" : "; " + kept_off.text;
  const auto wanted = static_cast<std::size_t>(shape.machines);
  if (wanted > 1 && survey.enough < wanted) return ExplainSeveral(survey, shape) + others;
  if (survey.lack != Resources{}) {
    return Missing(survey, shape, "free") + " " + NearestOf(survey) + others;
  }
  return fmt::format("would fit on {}, which is kept for a step that comes before it{}",
                     nearest.facts.name,
                     others);
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

// Each step that runs a command, those of bodies too, with its whole name and its compute.
void ForEachCommand(
    const std::vector<Step>& steps,
    const std::string& above,
    const std::string& compute,
    const std::function<void(const Step&, const std::string& name, const std::string& compute)>&
        see) {
  for (const Step& step : steps) {
    const std::string name = step.name.empty() ? above : above + step.name;
    const std::string& own = step.compute.empty() ? compute : step.compute;
    if (IsControl(step) && !IsGang(step)) {
      ForEachCommand(step.control->body, name + "/", own, see);
    } else {
      see(step, name, own);
    }
  }
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
  const auto check = [&](const Step& step, const std::string& name, const std::string& compute) {
    Shape shape = ShapeOf(compute, step);
    if (moved_to.has_value()) shape.pool = *moved_to;
    const auto [it, is_new] = reasons.try_emplace(std::move(shape));
    if (is_new) it->second = NeverFits(state, pools, it->first);
    if (it->second.empty() || ++count > kLinesMax) return;
    lines += fmt::format("{}jobs.{}: {}", count == 1 ? "" : "\n", name, it->second);
  };
  ForEachCommand(plan.spec().steps, "", plan.spec().settings.default_compute, check);
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
  std::string promise = ExplainPromise(state, run, step.index);
  if (!promise.empty()) return promise;
  std::string why = ExplainQuota(state, run, step.index);
  if (why.empty()) why = ExplainQueued(state, ShapeAskedFor(run, step.index), options);
  const std::string& preempted = std::get<Queued>(current).preempted;
  return preempted.empty() ? why : preempted + ": " + why;
}

std::int64_t MostMemoryFor(const State& state, Shape shape, const DecideOptions& options) {
  const Pools pools(state, options);
  const std::string pool = pools.Resolve(shape.pool);
  shape.request.memory_bytes = 0;
  std::int64_t most = 0;
  for (const auto& [id, machine] : state.machines) {
    if (!IsKnown(machine) || !pools.Holds(machine, pool)) continue;
    if (!CouldHold(machine, shape)) continue;
    most = std::max(most, machine.facts.capacity.memory_bytes);
  }
  return most;
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
