#include "server/rpc/run_view.h"

#include <algorithm>
#include <future>
#include <utility>

#include "absl/time/clock.h"
#include "common/base/status_macros.h"
#include "common/rpc/pipeline_convert.h"
#include "common/rpc/usage_convert.h"
#include "fmt/format.h"
#include "server/domain/expand.h"
#include "server/domain/explain_team.h"
#include "server/domain/placement.h"
#include "server/reuse/foresee.h"
#include "server/rpc/completion.h"
#include "server/rpc/convert.h"
#include "server/rpc/resource_notes.h"

namespace potok::server {

namespace {

constexpr std::size_t kSpecsKept = 16;
constexpr std::size_t kStepsExplained = 50;
constexpr std::size_t kDetailsExplained = 10;

// A step that has not moved yet has no row: it is Blocked, or Queued if it needs no other and its
// run does not start after another.
// Those that were added by control steps have moved.
std::vector<StepRow> WithUnmoved(std::vector<StepRow> rows, const RunRow& run, const Plan& plan) {
  std::vector<bool> moved(plan.spec().steps.size());
  for (const StepRow& row : rows) {
    if (row.index < moved.size()) moved[row.index] = true;
  }
  for (std::uint32_t index = 0; index < moved.size(); ++index) {
    if (moved[index]) continue;
    StepRow row;
    row.index = index;
    if (plan.IsRoot(index) && run.added.after.empty()) row.state = Queued{};
    rows.push_back(std::move(row));
  }
  std::ranges::sort(rows, {}, &StepRow::index);
  return rows;
}

std::string SomeNames(const Plan& plan) {
  constexpr std::uint32_t kNamesMax = 20;
  std::string names;
  for (std::uint32_t i = 0; i < std::min(plan.size(), kNamesMax); ++i) {
    names += (i == 0 ? "" : ", ") + plan.step(i).name;
  }
  return plan.size() > kNamesMax ? names + ", ..." : names;
}

// * is any characters, ? is one; brackets are of the names of loops' items, not of sets.
bool MatchesPattern(const std::string& name, const std::string& pattern) {
  std::size_t in_name = 0;
  std::size_t in_pattern = 0;
  std::size_t star = std::string::npos;
  std::size_t retry = 0;
  while (in_name < name.size()) {
    const char c = in_pattern < pattern.size() ? pattern[in_pattern] : '\0';
    if (c == '*') {
      star = in_pattern++;
      retry = in_name;
    } else if (in_pattern < pattern.size() && (c == '?' || c == name[in_name])) {
      ++in_pattern;
      ++in_name;
    } else if (star != std::string::npos) {
      in_pattern = star + 1;
      in_name = ++retry;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', in_pattern) == std::string::npos;
}

// A step that needs no other was queued with the run, of which its row knows nothing until it was
// queued once more.
bool IsQueuedWithRun(const StepRow& row, const RunRow& run, const Plan& plan) {
  const bool is_unmoved = row.attempt == 0 && std::holds_alternative<Queued>(row.state);
  const bool is_first = row.attempt == 1 && !std::holds_alternative<Queued>(row.state);
  const bool is_submitted = row.index < plan.spec().steps.size();
  return is_submitted && run.added.after.empty() && plan.IsRoot(row.index) &&
         (is_unmoved || is_first);
}

std::vector<std::string> DetailsOf(const State& state,
                                   const StepKey& key,
                                   const DecideOptions& options,
                                   absl::Time now) {
  std::vector<std::string> details;
  const auto add = [&](const std::string& line) {
    if (!line.empty()) details.push_back(line);
  };
  add(ExplainPlace(state, key, now));
  add(ExplainTurn(state, key, now));
  for (const std::string& line : ExplainMachines(state, key, options)) add(line);
  add(ExplainOpening(state, key, options, now));
  return details;
}

void AddOrdered(const RunOrdered& ordered, v1::Run& run) {
  if (ordered.hold.has_value()) {
    run.mutable_hold()->set_by(ordered.hold->by);
    run.mutable_hold()->set_reason(ordered.hold->reason);
    run.mutable_hold()->set_since_us(absl::ToUnixMicros(ordered.hold->since));
  }
  if (ordered.priority.has_value()) run.set_moved_priority(*ordered.priority);
  if (ordered.pool.has_value()) {
    run.set_moved_compute(ordered.pool->empty() ? "default" : *ordered.pool);
  }
}

// What the step asks for and uses, and what there is to say of that.
void AddResources(const StepRow& row,
                  const Plan& plan,
                  RunId run,
                  const LiveUsage& usage,
                  v1::StepStatus& status) {
  if (IsControl(plan.step(row.index))) return;
  Resources requested = plan.step(row.index).resources;
  if (row.raise.has_value()) requested.memory_bytes = row.raise->to_bytes;
  *status.mutable_requested() = potok::ToProto(requested);
  for (std::string& note : ResourceNotes(row, requested)) {
    status.add_resource_notes(std::move(note));
  }
  const auto live = usage.find({run, row.index, row.attempt});
  if (PlacementOf(row.state) != nullptr && live != usage.end()) {
    *status.mutable_usage() = potok::ToProto(live->second);
  }
}

}  // namespace

AttemptKey LogOf(RunId run, const StepRow& step) {
  const auto* succeeded = std::get_if<Succeeded>(&step.state);
  if (succeeded != nullptr && succeeded->reused.has_value()) return succeeded->reused->from;
  return {run, step.index, step.attempt};
}

absl::StatusOr<std::shared_ptr<const RunView::StoredSpec>> RunView::SpecOf(const RunRow& row) {
  {
    MutexLock lock(mutex_);
    if (const auto known = specs_.find(row.added.spec); known != specs_.end()) return known->second;
  }
  POTOK_ASSIGN_OR_RETURN(const std::string bytes, reader_.GetSpec(row.added.spec));
  auto spec = std::make_shared<StoredSpec>();
  if (!spec->wire.ParseFromString(bytes)) {
    return absl::DataLossError(
        fmt::format("the stored pipeline of run {} cannot be read", row.added.name));
  }
  POTOK_ASSIGN_OR_RETURN(PipelineSpec plain, potok::FromProto(spec->wire));
  POTOK_ASSIGN_OR_RETURN(spec->plan, RebuildPlan(std::move(plain)));
  MutexLock lock(mutex_);
  if (specs_.size() >= kSpecsKept) specs_.erase(specs_.begin());
  specs_[row.added.spec] = spec;
  return std::shared_ptr<const StoredSpec>(std::move(spec));
}

absl::StatusOr<std::shared_ptr<const Plan>> RunView::PlanOf(const RunRow& row) {
  POTOK_ASSIGN_OR_RETURN(const auto spec, SpecOf(row));
  return PlanOf(row, *spec);
}

absl::StatusOr<std::shared_ptr<const Plan>> RunView::PlanOf(const RunRow& row,
                                                            const StoredSpec& spec) {
  if (row.added_steps == 0) return spec.plan;
  std::shared_ptr<const Plan> plan = spec.plan;
  {
    MutexLock lock(mutex_);
    if (const auto known = grown_.find(row.added.id); known != grown_.end()) plan = known->second;
  }
  if (plan->size() >= row.added.steps + row.added_steps) return plan;
  POTOK_ASSIGN_OR_RETURN(const std::vector<StepsAdded> added,
                         reader_.GetAddedSteps(row.added.id, plan->size()));
  // Others may hold the plan: one of our own grows.
  plan = std::make_shared<Plan>(*plan);
  for (const StepsAdded& steps : added) {
    POTOK_ASSIGN_OR_RETURN(std::shared_ptr<const Segment> segment, Expand(*plan, steps));
    Grow(std::move(segment), &plan);
  }
  MutexLock lock(mutex_);
  if (grown_.size() >= kSpecsKept) grown_.erase(grown_.begin());
  grown_[row.added.id] = plan;
  return plan;
}

absl::StatusOr<v1::Run> RunView::Get(const std::string& name,
                                     bool with_spec,
                                     std::int64_t after_revision) {
  POTOK_ASSIGN_OR_RETURN(const RunRow row, reader_.GetRun(name));
  return Make(row, with_spec, after_revision);
}

absl::StatusOr<v1::Run> RunView::Get(RunId id, std::int64_t after_revision) {
  POTOK_ASSIGN_OR_RETURN(const RunRow row, reader_.GetRunById(id));
  return Make(row, false, after_revision);
}

absl::StatusOr<v1::Run> RunView::GetSummary(RunId id) {
  POTOK_ASSIGN_OR_RETURN(const RunRow row, reader_.GetRunById(id));
  return ToProto(row);
}

absl::StatusOr<v1::Run> RunView::Make(const RunRow& row,
                                      bool with_spec,
                                      std::int64_t after_revision) {
  POTOK_ASSIGN_OR_RETURN(const auto spec, SpecOf(row));
  POTOK_ASSIGN_OR_RETURN(const std::shared_ptr<const Plan> whole, PlanOf(row, *spec));
  const Plan& plan = *whole;
  POTOK_ASSIGN_OR_RETURN(std::vector<StepRow> steps,
                         reader_.GetSteps(row.added.id, after_revision));
  if (after_revision == 0) steps = WithUnmoved(std::move(steps), row, plan);
  const std::map<MachineId, MachineChanged> machines = switchboard_.machines();
  const LiveUsage usage = IsTerminal(row.status) ? LiveUsage() : switchboard_.UsageIn(row.added.id);
  v1::Run run = ToProto(row);
  Sources sources;
  for (const StepRow& step : steps) {
    if (step.index >= plan.size()) continue;
    v1::StepStatus& status = *run.add_steps();
    status = ToProto(step, machines);
    status.set_name(plan.step(step.index).name);
    if (IsQueuedWithRun(step, row, plan)) status.set_queued_us(row.created_us);
    const AttemptKey log = LogOf(row.added.id, step);
    if (log.attempt > 0) status.set_log_bytes(logs_.SizeOf(log));
    AddResources(step, plan, row.added.id, usage, status);
    NameSource(step, sources, status);
  }
  AddOutputs(run, plan);
  if (!IsTerminal(row.status)) {
    AddOrder({&run});
    ExplainQueued(run, row.added.id);
    ExplainFinalizing(run);
  }
  if (with_spec) *run.mutable_spec() = spec->wire;
  return run;
}

// A reused step says whose result it took; a run that cannot be read has no name.
void RunView::NameSource(const StepRow& step, Sources& sources, v1::StepStatus& status) {
  const auto* succeeded = std::get_if<Succeeded>(&step.state);
  if (succeeded == nullptr || !succeeded->reused.has_value()) return;
  const Reused& reused = *succeeded->reused;
  status.set_saved_us(reused.saved_us);
  auto source = sources.find(reused.from.run);
  if (source == sources.end()) {
    source = sources.emplace(reused.from.run, Source{}).first;
    const auto row = reader_.GetRunById(reused.from.run);
    if (!row.ok()) return;
    const auto plan_of_source = PlanOf(*row);
    if (!plan_of_source.ok()) return;
    source->second = {row->added.name, *plan_of_source};
  }
  const auto& [name, plan] = source->second;
  if (plan == nullptr || reused.from.index >= plan->size()) return;
  status.set_reused_from(name + "/" + plan->step(reused.from.index).name);
}

absl::StatusOr<std::vector<StepRow>> RunView::StepsOf(const RunRow& row) {
  POTOK_ASSIGN_OR_RETURN(const std::shared_ptr<const Plan> plan, PlanOf(row));
  POTOK_ASSIGN_OR_RETURN(std::vector<StepRow> steps, reader_.GetSteps(row.added.id, 0));
  return WithUnmoved(std::move(steps), row, *plan);
}

absl::StatusOr<std::shared_ptr<const RunRecord>> RunView::Load(const RunRow& row) {
  POTOK_ASSIGN_OR_RETURN(const std::shared_ptr<const Plan> plan, PlanOf(row));
  POTOK_ASSIGN_OR_RETURN(const std::vector<StepRow> steps, StepsOf(row));
  auto run = std::make_shared<RunRecord>(BlankRun(plan));
  run->id = row.added.id;
  run->name = row.added.name;
  run->status = row.status;
  for (const StepRow& step : steps) {
    if (step.index >= run->steps.size()) continue;
    run->steps[step.index].state = step.state;
    run->steps[step.index].attempt = step.attempt;
    run->steps[step.index].lack = step.lack;
  }
  return std::shared_ptr<const RunRecord>(std::move(run));
}

absl::StatusOr<std::shared_ptr<const RunRecord>> RunView::Load(RunId id) {
  POTOK_ASSIGN_OR_RETURN(const RunRow row, reader_.GetRunById(id));
  return Load(row);
}

// Where outputs were written, and which of them are the run's own.
void RunView::AddOutputs(v1::Run& run, const Plan& plan) {
  for (v1::StepStatus& status : *run.mutable_steps()) {
    if (status.outputs().empty()) continue;
    const auto index = static_cast<std::uint32_t>(status.index());
    const Segment& segment = plan.SegmentOf(index);
    const PipelineSpec& spec = segment.spec;
    const Step& step = plan.step(index);
    for (v1::OutputValue& value : *status.mutable_outputs()) {
      const auto output = std::ranges::find(step.outputs, value.name(), &Output::name);
      if (output == step.outputs.end()) continue;
      const auto destination = DestinationOf(spec, run.name(), step, *output);
      if (destination.ok()) value.set_path(*destination);
      // What a body promotes is its control step's.
      if (segment.control.has_value()) continue;
      if (!output->promoted_to.empty() || !spec.is_pipeline) {
        v1::OutputValue& own = *run.add_outputs();
        own = value;
        if (!output->promoted_to.empty()) own.set_name(output->promoted_to);
      }
    }
  }
}

// Outputs that do not fit wait, which nobody would see at the step.
void RunView::ExplainFinalizing(v1::Run& run) {
  const std::string why = why_full_ == nullptr ? "" : why_full_();
  if (why.empty()) return;
  for (v1::StepStatus& status : *run.mutable_steps()) {
    if (status.status() == v1::STATUS_FINALIZING)
      status.set_waiting_for("room for its outputs: " + why);
  }
}

std::vector<RunView::Waiting> RunView::WhatTheyWaitFor(RunId run,
                                                       std::vector<std::uint32_t> steps,
                                                       Details details) {
  auto texts = std::make_shared<std::promise<std::vector<Waiting>>>();
  std::future<std::vector<Waiting>> answer = texts->get_future();
  const std::size_t details_max = details == Details::kTold ? kDetailsExplained : 0;
  const absl::Time now = absl::Now();
  const bool asked =
      scheduler_.Ask([texts, run, details_max, now, steps = std::move(steps), options = options_](
                         const State& state) {
        std::vector<Waiting> out;
        out.reserve(steps.size());
        for (const std::uint32_t index : steps) {
          const StepKey key{run, index};
          Waiting& waiting = out.emplace_back();
          waiting.waits_for = ExplainWaiting(state, key, options);
          if (out.size() <= details_max) waiting.details = DetailsOf(state, key, options, now);
        }
        texts->set_value(std::move(out));
      });
  if (!asked || answer.wait_for(std::chrono::seconds(1)) != std::future_status::ready) return {};
  return answer.get();
}

// Also of steps that wait with their whole run for another one.
void RunView::ExplainQueued(v1::Run& run, RunId id) {
  const bool may_wait_whole = !run.after().empty();
  std::vector<v1::StepStatus*> waiting;
  std::vector<std::uint32_t> indices;
  for (v1::StepStatus& status : *run.mutable_steps()) {
    if (waiting.size() == kStepsExplained) break;
    const bool waits = status.status() == v1::STATUS_QUEUED ||
                       (may_wait_whole && status.status() == v1::STATUS_NOT_STARTED);
    if (!waits) continue;
    waiting.push_back(&status);
    indices.push_back(static_cast<std::uint32_t>(status.index()));
  }
  if (waiting.empty()) return;
  const std::vector<Waiting> texts = WhatTheyWaitFor(id, std::move(indices), Details::kLeftOut);
  for (std::size_t i = 0; i < texts.size(); ++i) waiting[i]->set_waiting_for(texts[i].waits_for);
}

void RunView::AddOrder(const std::vector<v1::Run*>& runs) {
  std::vector<v1::Run*> live;
  std::vector<std::string> names;
  for (v1::Run* run : runs) {
    if (run->ended_us() != 0) continue;
    live.push_back(run);
    names.push_back(run->name());
  }
  if (live.empty()) return;
  auto orders = std::make_shared<std::promise<std::vector<RunOrdered>>>();
  std::future<std::vector<RunOrdered>> answer = orders->get_future();
  const bool asked = scheduler_.Ask([orders, names = std::move(names)](const State& state) {
    std::vector<RunOrdered> out(names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto id = state.run_by_name.find(names[i]);
      if (id == state.run_by_name.end()) continue;
      const RunRecord& run = state.runs.at(id->second);
      out[i] = {run.id, run.hold, run.priority, run.pool, run.created};
    }
    orders->set_value(std::move(out));
  });
  if (!asked || answer.wait_for(std::chrono::seconds(1)) != std::future_status::ready) return;
  const std::vector<RunOrdered> found = answer.get();
  for (std::size_t i = 0; i < live.size(); ++i) AddOrdered(found[i], *live[i]);
}

absl::StatusOr<std::vector<std::pair<std::uint32_t, std::string>>> RunView::FindSteps(
    const RunRow& run, const std::string& step, const std::vector<std::string>& patterns) {
  POTOK_ASSIGN_OR_RETURN(const auto spec, SpecOf(run));
  POTOK_ASSIGN_OR_RETURN(const std::shared_ptr<const Plan> plan, PlanOf(run, *spec));
  std::vector<std::string> wanted = patterns;
  if (wanted.empty()) wanted.push_back(step.empty() && plan->size() == 1 ? "*" : step);
  std::vector<bool> found(wanted.size());
  std::vector<std::pair<std::uint32_t, std::string>> chosen;
  for (std::uint32_t i = 0; i < plan->size(); ++i) {
    const std::string& name = plan->step(i).name;
    bool matches = false;
    for (std::size_t of = 0; of < wanted.size(); ++of) {
      const bool is_it = name == wanted[of] || MatchesPattern(name, wanted[of]);
      if (is_it) found[of] = true;
      matches = matches || is_it;
    }
    if (matches) chosen.emplace_back(i, name);
  }
  const auto missing = std::ranges::find(found, false);
  if (missing == found.end()) return chosen;
  const std::string names = SomeNames(*plan);
  const std::string& name = wanted[static_cast<std::size_t>(missing - found.begin())];
  if (name.empty()) {
    return absl::InvalidArgumentError(
        fmt::format("run {} has {} steps; say which one: {}", run.added.name, plan->size(), names));
  }
  return absl::NotFoundError(
      fmt::format("run {} has no step '{}'; it has {}", run.added.name, name, names));
}

}  // namespace potok::server
