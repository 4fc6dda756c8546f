#include "client/cli/show/rerun.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "client/potok_client/run_state.h"
#include "common/base/status_macros.h"
#include "common/pipeline/control.h"
#include "common/pipeline/suggest.h"
#include "common/pipeline/template.h"
#include "common/pipeline/when.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

// The steps that a step waits for: bound, named by depends_on, or looked at by `when`.
std::set<std::string> NeededBy(const Step& step) {
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
  const auto when = When::Parse(step.when);
  if (step.when.empty() || !when.ok()) return needed;
  for (const std::string& name : when->Steps()) needed.insert(name);
  return needed;
}

// `from`, all that comes after it, and what runs when all others have ended.
std::set<std::string> Downstream(std::set<std::string> from, const std::vector<Step>& steps) {
  std::map<std::string, std::vector<std::string>> dependents;
  for (const Step& step : steps) {
    for (const std::string& needed : NeededBy(step)) dependents[needed].push_back(step.name);
    if (step.finalizes) from.insert(step.name);
  }
  std::vector<std::string> open(from.begin(), from.end());
  while (!open.empty()) {
    const std::string name = std::move(open.back());
    open.pop_back();
    for (const std::string& next : dependents[name]) {
      if (from.insert(next).second) open.push_back(next);
    }
  }
  return from;
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

bool HasStep(const PipelineSpec& spec, const std::string& name) {
  return std::ranges::find(spec.steps, name, &Step::name) != spec.steps.end();
}

absl::Status NoSuchStep(const std::string& from, const PipelineSpec& spec) {
  const std::string loop = from.substr(0, from.find('['));
  if (loop != from && HasStep(spec, loop)) {
    return absl::InvalidArgumentError(
        fmt::format("--from {0}: that step is made by {1} while the run goes on; --from {1} runs "
                    "it and all that comes after it again",
                    from,
                    loop));
  }
  constexpr std::size_t kNamesMax = 20;
  std::vector<std::string> names;
  for (const Step& step : spec.steps) names.push_back(step.name);
  const std::optional<std::string> near = NearestName(from, names);
  if (names.size() > kNamesMax) {
    names.resize(kNamesMax);
    names.emplace_back("...");
  }
  return absl::NotFoundError(fmt::format(
      "--from {}: the pipeline has no such step; {}",
      from,
      near ? "did you mean '" + *near + "'?" : fmt::format("it has {}", fmt::join(names, ", "))));
}

// The step, or those of the nested pipeline, that are called so.
absl::StatusOr<std::set<std::string>> StepsCalled(const std::string& from,
                                                  const PipelineSpec& spec) {
  std::set<std::string> called;
  for (const Step& step : spec.steps) {
    if (step.name == from || step.name.starts_with(from + "/")) called.insert(step.name);
  }
  if (called.empty()) return NoSuchStep(from, spec);
  return called;
}

}  // namespace

void SetRead(bool read, Step* step) {
  step->reuse.read = read;
  if (step->control == nullptr || step->control->body.empty()) return;
  auto control = std::make_shared<Control>(*step->control);
  for (Step& inner : control->body) SetRead(read, &inner);
  step->control = std::move(control);
}

absl::Status PrepareRerun(RerunKind kind,
                          const std::string& from,
                          const v1::Run& run,
                          PipelineSpec* spec) {
  if (kind == RerunKind::kFailed) POTOK_RETURN_IF_ERROR(CheckFailed(run));
  std::set<std::string> anew;
  if (kind == RerunKind::kFrom) {
    POTOK_ASSIGN_OR_RETURN(const std::set<std::string> called, StepsCalled(from, *spec));
    anew = Downstream(called, spec->steps);
  }
  spec->settings.force_rerun = kind == RerunKind::kAll;
  for (Step& step : spec->steps) {
    if (anew.contains(step.name)) SetRead(false, &step);
  }
  return absl::OkStatus();
}

}  // namespace potok::client
