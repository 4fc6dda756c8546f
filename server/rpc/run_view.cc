#include "server/rpc/run_view.h"

#include <algorithm>
#include <utility>

#include "common/base/status_macros.h"
#include "common/rpc/pipeline_convert.h"
#include "common/rpc/usage_convert.h"
#include "fmt/format.h"
#include "server/domain/expand.h"
#include "server/reuse/foresee.h"
#include "server/rpc/completion.h"
#include "server/rpc/convert.h"
#include "server/rpc/resource_notes.h"

namespace potok::server {

namespace {

constexpr std::size_t kSpecsKept = 16;

// A step that has not moved yet has no row: it is Blocked, or Queued if it needs no other and its
// run does not start after another.
// Those that were added by control steps have moved.
std::vector<StepRow> WithUnmoved(std::vector<StepRow> rows, const RunRow& run, const Plan& plan) {
  std::vector<bool> moved(plan.submitted());
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

// A step that needs no other was queued with the run, of which its row knows nothing until it was
// queued once more.
bool IsQueuedWithRun(const StepRow& row, const RunRow& run, const Plan& plan) {
  const bool is_unmoved = row.attempt == 0 && std::holds_alternative<Queued>(row.state);
  const bool is_first = row.attempt == 1 && !std::holds_alternative<Queued>(row.state);
  const bool is_submitted = row.index < plan.submitted();
  return is_submitted && run.added.after.empty() && plan.IsRoot(row.index) &&
         (is_unmoved || is_first);
}

// What the step asks for and uses, and what there is to say of that.
void AddResources(const StepRow& row,
                  const Plan& plan,
                  RunId run,
                  const LiveUsage& usage,
                  v1::StepStatus& status) {
  if (IsControl(plan.definition(row.index))) return;
  Resources requested = plan.definition(row.index).resources;
  if (row.raise.has_value()) requested.memory_bytes = row.raise->to_bytes;
  *status.mutable_requested() = potok::ToProto(requested);
  for (std::string& note : ResourceNotes(row, requested)) {
    status.add_resource_notes(std::move(note));
  }
  std::string held = HeldNote(row, status.machine());
  if (!held.empty()) status.add_resource_notes(std::move(held));
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
    status.set_name(plan.NameOf(step.index));
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
  status.set_reused_from(name + "/" + plan->NameOf(reused.from.index));
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
    run->steps[step.index].SetState(step.state);
    run->steps[step.index].attempt = step.attempt;
    run->steps[step.index].lack = step.lack;
  }
  return std::shared_ptr<const RunRecord>(std::move(run));
}

absl::StatusOr<std::shared_ptr<const RunRecord>> RunView::Load(RunId id) {
  POTOK_ASSIGN_OR_RETURN(const RunRow row, reader_.GetRunById(id));
  return Load(row);
}

std::string RunView::NameOf(MachineId machine) {
  const std::map<MachineId, MachineChanged> machines = switchboard_.machines();
  const auto known = machines.find(machine);
  return known == machines.end() ? "" : known->second.name;
}

// Where outputs were written, and which of them are the run's own.
void RunView::AddOutputs(v1::Run& run, const Plan& plan) {
  for (v1::StepStatus& status : *run.mutable_steps()) {
    if (status.outputs().empty()) continue;
    const auto index = static_cast<std::uint32_t>(status.index());
    const Segment& segment = plan.SegmentOf(index);
    const PipelineSpec& spec = segment.spec;
    const Step& step = plan.definition(index);
    for (v1::OutputValue& value : *status.mutable_outputs()) {
      const auto output = std::ranges::find(step.outputs, value.name(), &Output::name);
      if (output == step.outputs.end()) continue;
      const auto destination = DestinationOf(spec, run.name(), plan.NameOf(index), *output);
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

}  // namespace potok::server
