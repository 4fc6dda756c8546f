#include "server/rpc/explanations.h"

#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "common/base/status_macros.h"
#include "server/reuse/explain.h"
#include "server/rpc/resource_notes.h"

namespace potok::server {

namespace {

v1::StepExplanation::Verdict WireOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kReused:
      return v1::StepExplanation::VERDICT_REUSED;
    case Verdict::kRuns:
      return v1::StepExplanation::VERDICT_RUNS;
    case Verdict::kUnknown:
      return v1::StepExplanation::VERDICT_UNKNOWN;
    case Verdict::kNotRun:
      return v1::StepExplanation::VERDICT_NOT_RUN;
  }
  return v1::StepExplanation::VERDICT_UNSPECIFIED;
}

// Loads each run once: many steps speak of the same one. Of one call, and one thread.
LoadRun Remembering(RunView& view) {
  using Loaded = std::map<RunId, absl::StatusOr<std::shared_ptr<const RunRecord>>>;
  return [&view, loaded = std::make_shared<Loaded>()](RunId id) {
    const auto known = loaded->find(id);
    return known != loaded->end() ? known->second
                                  : loaded->emplace(id, view.Load(id)).first->second;
  };
}

// The names of the step that is spoken of; empty if its run is no more.
void NameSource(const Explanation& explanation, const LoadRun& load, v1::StepExplanation* out) {
  if (explanation.from.run == 0) return;
  const auto run = load(explanation.from.run);
  if (!run.ok() || explanation.from.index >= (*run)->steps.size()) return;
  out->set_from_run((*run)->name);
  out->set_from_step((*run)->plan->NameOf(explanation.from.index));
}

void Add(const Explanation& explanation,
         const RunRecord& run,
         const LoadRun& load,
         v1::ExplainResponse* response) {
  v1::StepExplanation& out = *response->add_steps();
  out.set_step(run.plan->NameOf(explanation.step));
  out.set_verdict(WireOf(explanation.verdict));
  out.set_reason(explanation.reason);
  out.set_saved_us(explanation.saved_us);
  NameSource(explanation, load, &out);
  for (const FieldDifference& difference : explanation.differences) {
    v1::FieldDifference& to = *out.add_differences();
    to.set_field(difference.field);
    to.set_was(difference.was);
    to.set_now(difference.now);
    for (const std::string& file : difference.files) to.add_files(file);
  }
}

// When it was decided whether the step runs.
std::int64_t DecidedAt(const StepRow& row, const RunRow& run) {
  if (row.queued_us != 0) return row.queued_us;
  if (row.attempt > 0 || std::holds_alternative<Queued>(row.state)) return run.created_us;
  return absl::ToUnixMicros(absl::Now());
}

// Asking takes the scheduler's time: of a large run the first steps are told of.
constexpr std::size_t kWaitingToldMax = 200;

void AddWaiting(RunView& view,
                RunId run,
                const std::vector<std::pair<std::uint32_t, std::string>>& chosen,
                v1::ExplainResponse* response) {
  std::vector<std::uint32_t> indices;
  for (const auto& [index, name] : chosen) {
    if (indices.size() < kWaitingToldMax) indices.push_back(index);
  }
  const std::vector<RunView::Waiting> texts =
      view.WhatTheyWaitFor(run, std::move(indices), RunView::Details::kTold);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    v1::StepExplanation& step = *response->mutable_steps(static_cast<int>(i));
    const std::string& why = texts[i].waits_for;
    const bool says_so = absl::StartsWith(why, "waits ");
    if (!why.empty()) step.add_waiting(says_so ? why : "waits: " + why);
    for (const std::string& line : texts[i].details) step.add_waiting(line);
  }
}

}  // namespace

absl::StatusOr<v1::ExplainResponse> Explanations::Explain(const v1::ExplainRequest& request) {
  POTOK_ASSIGN_OR_RETURN(const RunRow row, view_.reader().GetRun(request.name()));
  std::vector<std::string> patterns(request.steps().begin(), request.steps().end());
  if (patterns.empty()) patterns.emplace_back("*");
  POTOK_ASSIGN_OR_RETURN(const auto chosen, view_.FindSteps(row, "", patterns));
  POTOK_ASSIGN_OR_RETURN(const auto run, view_.Load(row));
  POTOK_ASSIGN_OR_RETURN(const std::vector<StepRow> steps, view_.StepsOf(row));
  const LoadRun load = Remembering(view_);
  Explainer explainer(view_.reader(), store_, load);
  v1::ExplainResponse response;
  for (const auto& [index, name] : chosen) {
    const StepRow& step = steps.at(index);
    POTOK_ASSIGN_OR_RETURN(const Explanation explanation,
                           explainer.Explain(*run, index, step.lack, DecidedAt(step, row)));
    Add(explanation, *run, load, &response);
    if (const std::string raise = RaiseNote(step); !raise.empty()) {
      v1::StepExplanation& last = *response.mutable_steps()->rbegin();
      last.set_reason(last.reason() + "; " + raise);
    }
    if (!step.held.has_value()) continue;
    const std::string held = HeldNote(step, view_.NameOf(step.machine));
    if (!held.empty()) response.mutable_steps()->rbegin()->add_waiting(held);
  }
  if (!IsTerminal(row.status)) AddWaiting(view_, row.added.id, chosen, &response);
  return response;
}

absl::StatusOr<v1::ExplainResponse> Explanations::Foresee(PipelineSpec spec,
                                                          const std::function<bool()>& is_wanted) {
  POTOK_ASSIGN_OR_RETURN(const Prepared prepared, submission_.Prepare(std::move(spec), is_wanted));
  POTOK_ASSIGN_OR_RETURN(const Foresight foresight, submission_.Foresee(prepared.plan));
  const LoadRun load = Remembering(view_);
  Explainer explainer(view_.reader(), store_, load);
  v1::ExplainResponse response;
  for (const std::string& warning : prepared.warnings) response.add_warnings(warning);
  const std::int64_t now_us = absl::ToUnixMicros(absl::Now());
  for (std::uint32_t index = 0; index < foresight.run.steps.size(); ++index) {
    const auto lack = foresight.lacks.find(index);
    POTOK_ASSIGN_OR_RETURN(
        const Explanation explanation,
        explainer.Explain(foresight.run,
                          index,
                          lack == foresight.lacks.end() ? ResultLack::kNone : lack->second,
                          now_us));
    Add(explanation, foresight.run, load, &response);
  }
  return response;
}

}  // namespace potok::server
