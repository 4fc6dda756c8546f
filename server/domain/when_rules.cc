// Whether a blocked step is decided: by what it needs, or by its `when`.
#include <algorithm>

#include "common/pipeline/control.h"
#include "common/pipeline/when.h"
#include "fmt/format.h"
#include "server/domain/turn.h"

namespace potok::server {

namespace {

StepOutcome OutcomeOf(const StepState& state) {
  if (std::holds_alternative<Succeeded>(state)) return StepOutcome::kSucceeded;
  if (std::holds_alternative<Failed>(state)) return StepOutcome::kFailed;
  if (std::holds_alternative<Canceled>(state)) return StepOutcome::kCanceled;
  if (std::holds_alternative<Skipped>(state)) return StepOutcome::kSkipped;
  return StepOutcome::kPending;
}

const char* HowItEnded(const StepState& state) {
  return std::holds_alternative<Failed>(state)    ? "failed"
         : std::holds_alternative<Skipped>(state) ? "was skipped"
                                                  : "was canceled";
}

std::optional<std::string> TextOf(const Binding& binding) {
  if (const auto* text = std::get_if<TextValue>(&binding)) return text->text;
  return std::nullopt;
}

// What the step's text may name: steps, outputs and inputs of its own level.
WhenScope ScopeOf(const RunRecord& run, std::uint32_t index) {
  const Segment& segment = run.plan->SegmentOf(index);
  WhenScope scope;
  for (const Edge& edge : run.plan->planned(index).upstreams) {
    scope.upstreams.push_back(OutcomeOf(run.steps[edge.step].state()));
  }
  scope.outcome = [&run, &segment](const std::string& name) {
    const auto found = segment.Find(name);
    return found.has_value() ? OutcomeOf(run.steps[*found].state()) : StepOutcome::kSkipped;
  };
  scope.output = [&run, &segment](const std::string& name,
                                  const std::string& output) -> std::optional<std::string> {
    const auto found = segment.Find(name);
    if (!found.has_value()) return std::nullopt;
    const auto* succeeded = std::get_if<Succeeded>(&run.steps[*found].state());
    if (succeeded == nullptr) return std::nullopt;
    const auto value = std::ranges::find(succeeded->outputs, output, &OutputValue::name);
    if (value == succeeded->outputs.end()) return std::nullopt;
    const auto* text = std::get_if<std::string>(&value->value);
    return text == nullptr ? std::nullopt : std::optional(*text);
  };
  scope.input = [&segment](const std::string& name) -> std::optional<std::string> {
    const auto input = std::ranges::find(segment.spec.inputs, name, &Input::name);
    if (input == segment.spec.inputs.end()) return std::nullopt;
    return TextOf(input->value);
  };
  return scope;
}

// Runs it if what its inputs need has come, skips it if that will never come.
void RunIfFed(Turn& turn, const RunRecord& run, std::uint32_t index) {
  bool waits = false;
  for (const Edge& edge : run.plan->planned(index).upstreams) {
    if (!edge.has_value) continue;
    const StepState& upstream = run.steps[edge.step].state();
    if (!IsTerminal(upstream)) {
      waits = true;
    } else if (edge.required && !std::holds_alternative<Succeeded>(upstream)) {
      SkipFor(turn, run, edge.step, index);
      return;
    }
  }
  if (!waits) MakeReady(turn, {run.id, index});
}

}  // namespace

void SkipFor(Turn& turn, const RunRecord& run, std::uint32_t upstream, std::uint32_t index) {
  const std::string reason = fmt::format("needs step '{}', which {}",
                                         run.plan->NameOf(upstream),
                                         HowItEnded(run.steps[upstream].state()));
  MoveStep(turn, {run.id, index}, UpstreamFailed{reason});
}

void DecideWhen(Turn& turn, const RunRecord& run, std::uint32_t index) {
  const std::string& text = run.plan->definition(index).when;
  const absl::StatusOr<When> when = When::Parse(text);
  if (!when.ok()) {
    const std::string message =
        fmt::format("its `when` cannot be read: {}", std::string(when.status().message()));
    MoveStep(turn, {run.id, index}, AttemptFailed{{FailureCause::kInput, 0, message}});
    return;
  }
  switch (when->Evaluate(ScopeOf(run, index))) {
    case Verdict::kRun:
      return RunIfFed(turn, run, index);
    case Verdict::kSkip:
      return MoveStep(
          turn, {run.id, index}, UpstreamFailed{fmt::format("its condition is not met: {}", text)});
    case Verdict::kWait:
      return;
  }
}

}  // namespace potok::server
