// Why a step waits and where it is in the order, for people.
#include <functional>
#include <iterator>
#include <limits>

#include "fmt/format.h"
#include "server/domain/explain_team.h"
#include "server/domain/kept_off.h"
#include "server/domain/placement.h"
#include "server/domain/preemption.h"
#include "server/domain/satisfiable.h"
#include "server/domain/survey.h"

namespace potok::server {

namespace {

std::string ExplainBlocked(const RunRecord& run, std::uint32_t index) {
  for (const Edge& edge : run.plan->planned(index).upstreams) {
    const StepState& upstream = run.steps[edge.step].state();
    if (IsTerminal(upstream)) continue;
    const std::string first =
        fmt::format("waits for step '{}' ({})", run.plan->NameOf(edge.step), NameOf(upstream));
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
  const std::string limited = HeldByLimits(pools, shape);
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

}  // namespace

std::string ExplainWaiting(const State& state, const StepKey& step, const DecideOptions& options) {
  const auto it = state.runs.find(step.run);
  if (it == state.runs.end() || step.index >= it->second.steps.size()) return "";
  const RunRecord& run = it->second;
  const StepState& current = run.steps[step.index].state();
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

}  // namespace potok::server
