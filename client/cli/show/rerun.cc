#include "client/cli/show/rerun.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "client/potok_client/run_state.h"
#include "common/base/status_macros.h"
#include "common/pipeline/template.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

// The steps that a step waits for: bound, named by depends_on, or looked at by `when`.
std::set<std::string> NeededBy(const Step& step, const std::vector<Step>& all) {
  std::set<std::string> needed(step.depends_on.begin(), step.depends_on.end());
  for (const Input& input : step.inputs) {
    const auto* text = std::get_if<TextValue>(&input.value);
    if (text == nullptr) continue;
    const auto parts = ParseTemplate(text->text, TemplatePlace::kBinding);
    if (!parts.ok()) continue;
    for (const TemplatePart& part : *parts) {
      const auto* expression = std::get_if<Expression>(&part);
      if (expression == nullptr) continue;
      if (const auto* of = std::get_if<StepOutput>(expression)) needed.insert(of->step);
      if (const auto* of = std::get_if<StepInput>(expression)) needed.insert(of->step);
    }
  }
  if (step.when.empty()) return needed;
  // A name in `when` is taken for the step: one too many only runs anew.
  for (const Step& other : all) {
    if (step.when.find(other.name) != std::string::npos) needed.insert(other.name);
  }
  return needed;
}

// `from` and all that comes after it.
std::set<std::string> Downstream(const std::string& from, const std::vector<Step>& steps) {
  std::map<std::string, std::vector<std::string>> dependents;
  for (const Step& step : steps) {
    for (const std::string& needed : NeededBy(step, steps)) dependents[needed].push_back(step.name);
  }
  std::set<std::string> found = {from};
  std::vector<std::string> open = {from};
  while (!open.empty()) {
    const std::string name = std::move(open.back());
    open.pop_back();
    for (const std::string& next : dependents[name]) {
      if (found.insert(next).second) open.push_back(next);
    }
  }
  return found;
}

absl::Status CheckFailed(const v1::Run& run) {
  if (!HasEnded(run.status())) {
    return absl::FailedPreconditionError(
        fmt::format("the run {0} has not ended; wait for it (potok job wait -n {0}), or cancel it",
                    run.name()));
  }
  if (run.status() != v1::STATUS_COMPLETED) return absl::OkStatus();
  return absl::FailedPreconditionError(fmt::format(
      "nothing failed in run {}: it completed; --from STEP or --all run it again", run.name()));
}

std::string NamesIn(const PipelineSpec& spec) {
  constexpr std::size_t kNamesMax = 20;
  std::vector<std::string> names;
  for (const Step& step : spec.steps) {
    if (names.size() < kNamesMax) names.push_back(step.name);
  }
  return fmt::format("{}{}", fmt::join(names, ", "), spec.steps.size() > kNamesMax ? ", ..." : "");
}

}  // namespace

absl::Status PrepareRerun(RerunKind kind,
                          const std::string& from,
                          const v1::Run& run,
                          PipelineSpec* spec) {
  if (kind == RerunKind::kFailed) POTOK_RETURN_IF_ERROR(CheckFailed(run));
  std::set<std::string> anew;
  if (kind == RerunKind::kFrom) {
    if (std::ranges::find(spec->steps, from, &Step::name) == spec->steps.end()) {
      return absl::NotFoundError(
          fmt::format("--from {}: the pipeline has no such step; it has {}", from, NamesIn(*spec)));
    }
    anew = Downstream(from, spec->steps);
  }
  spec->settings.force_rerun = kind == RerunKind::kAll;
  for (Step& step : spec->steps) {
    if (anew.contains(step.name)) step.reuse.read = false;
  }
  return absl::OkStatus();
}

}  // namespace potok::client
