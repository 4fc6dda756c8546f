#include "server/domain/flow_rules.h"

#include <algorithm>
#include <utility>

#include "common/base/overloaded.h"
#include "common/pipeline/validate.h"
#include "fmt/format.h"
#include "server/domain/expand.h"
#include "server/domain/order.h"

namespace potok::server {

namespace {

// The value of an input, or nothing.
std::optional<std::string> TextOfInput(const OpenControl& open, const std::string& name) {
  const auto inputs = ResolveInputs(open.run(), open.key.index);
  if (!inputs.ok()) return std::nullopt;
  for (const OrderInput& input : *inputs) {
    if (open.step().inputs[input.input].name != name) continue;
    const auto* text = std::get_if<std::string>(&input.value);
    if (text != nullptr) return *text;
  }
  return std::nullopt;
}

void DecideCondition(OpenControl& open) {
  const std::string text = TextOfInput(open, kConditionInput).value_or("");
  const auto taken = Coerce(text, ValueType::kBoolean);
  if (!taken.ok()) return FailControl(open, fmt::format("its condition is '{}', no boolean", text));
  SucceedControl(open, {{kTakenOutput, *taken}});
}

bool HasDestination(const OpenControl& open, const std::string& name) {
  const auto output = std::ranges::find(open.step().outputs, name, &Output::name);
  if (output == open.step().outputs.end()) return false;
  if (!output->path.empty()) return true;
  const PipelineSpec& spec = open.run().plan->SegmentOf(open.key.index).spec;
  const auto promoted = std::ranges::find(spec.outputs, output->promoted_to, &Output::name);
  return promoted != spec.outputs.end() && !promoted->path.empty();
}

// Data that a step of a body takes is there already, or its address is handed over: while a run
// goes on nothing is fetched.
absl::Status CheckData(const Segment& segment) {
  for (std::uint32_t i = 0; i < segment.steps.size(); ++i) {
    const Step& step = segment.steps.definition(i);
    const absl::Span<const PlanInput> inputs = segment.steps[i].inputs;
    for (std::size_t n = 0; n < step.inputs.size(); ++n) {
      const Input& input = step.inputs[n];
      const auto* parts = std::get_if<std::vector<PlanPart>>(&inputs[n].value);
      if (parts == nullptr || IsPrimitive(input.type) || input.mode == Mode::kDirect) continue;
      const auto* text = parts->size() == 1 ? std::get_if<std::string>(&parts->front()) : nullptr;
      if (text == nullptr) continue;
      return absl::InvalidArgumentError(fmt::format(
          "step '{}' would take '{}' as files for its input '{}', and while a run goes on nothing "
          "is "
          "fetched; give the files to the loop as an input of its own, or use mode: direct to hand "
          "the address to the command",
          segment.steps.NameOf(i),
          *text,
          input.name));
    }
  }
  return absl::OkStatus();
}

// Those of the new steps that are ready, or decided, without any other.
void BeginSteps(Turn& turn, const StepsAdded& added) {
  for (std::uint32_t i = added.first; i < added.first + added.count; ++i) {
    const RunRecord& run = turn.state.runs.at(added.run);
    if (run.plan->IsRoot(i)) {
      MakeReady(turn, {added.run, i});
    } else if (run.plan->planned(i).upstreams.empty()) {
      Consider(turn, run, i);
    }
    // What is not moved yet is said as it is: readers know of a step by its moves.
    const RunRecord& after = turn.state.runs.at(added.run);
    const StepRecord& step = after.steps[i];
    const bool is_new = std::holds_alternative<Blocked>(step.state()) ||
                        std::holds_alternative<Queued>(step.state());
    if (is_new) Emit(turn, StepMoved{{added.run, i}, 0, 0, step.state(), turn.now});
  }
}

}  // namespace

const std::vector<BodyRecord>& OpenControl::bodies() const {
  static const std::vector<BodyRecord> kNone;
  const auto found = run().controls.find(key.index);
  return found == run().controls.end() ? kNone : found->second.bodies;
}

std::uint32_t OpenControl::live() const {
  const auto found = run().controls.find(key.index);
  return found == run().controls.end() ? 0 : found->second.live;
}

bool AddBody(OpenControl& open,
             const std::string& label,
             const std::vector<OutputValue>& values,
             const std::string& metric) {
  const RunRecord& run = open.run();
  StepsAdded added;
  added.run = run.id;
  added.control = open.key.index;
  added.ordinal = static_cast<std::uint32_t>(open.bodies().size());
  added.label = label;
  added.first = run.plan->size();
  added.count = static_cast<std::uint32_t>(open.control().body.size());
  added.values = values;
  added.metric = metric;
  added.at = open.turn.now;
  if (added.count == 0) {
    FailControl(open, "its body has no steps");
    return false;
  }
  if (std::size_t{added.first} + added.count > kStepsMax) {
    FailControl(open,
                fmt::format("a run can have {} steps, and with {}[{}] this one would have more",
                            kStepsMax,
                            open.name(),
                            label));
    return false;
  }
  auto segment = Expand(*run.plan, added);
  absl::Status status = segment.status();
  if (status.ok()) status = CheckData(**segment);
  if (!status.ok()) {
    FailControl(open, std::string(status.message()));
    return false;
  }
  added.segment = *std::move(segment);
  Emit(open.turn, added);
  BeginSteps(open.turn, added);
  return open.is_open();
}

std::vector<OutputValue> OwnValues(const OpenControl& open) {
  std::vector<OutputValue> values;
  auto inputs = ResolveInputs(open.run(), open.key.index);
  if (!inputs.ok()) return values;  // has been checked when the step became ready
  for (OrderInput& input : *inputs) {
    const std::string& name = open.step().inputs[input.input].name;
    if (name == kItemsInput) continue;
    OutputValue& value = values.emplace_back();
    value.name = name;
    std::visit([&](auto& known) { value.value = std::move(known); }, input.value);
  }
  return values;
}

std::optional<OutputValue> BodyValue(const OpenControl& open,
                                     const BodyRecord& body,
                                     const std::string& name) {
  std::uint32_t step = 0;
  const Output* output = FindBodyOutput(open.control(), name, &step);
  if (output == nullptr) return std::nullopt;
  const auto* succeeded = std::get_if<Succeeded>(&open.run().steps[body.first + step].state());
  if (succeeded == nullptr) return std::nullopt;
  const auto value = std::ranges::find(succeeded->outputs, output->name, &OutputValue::name);
  if (value == succeeded->outputs.end()) return std::nullopt;
  return OutputValue{name, value->value};
}

std::vector<OutputValue> OutputsOf(const OpenControl& open, const BodyRecord& body) {
  std::vector<OutputValue> outputs;
  for (const Output& output : open.step().outputs) {
    std::optional<OutputValue> value = BodyValue(open, body, output.name);
    if (value.has_value()) outputs.push_back(*std::move(value));
  }
  return outputs;
}

std::optional<std::uint32_t> FirstFailed(const RunRecord& run, const BodyRecord& body) {
  std::optional<std::uint32_t> first;
  for (std::uint32_t i = body.first; i < body.first + body.count; ++i) {
    if (!std::holds_alternative<Failed>(run.steps[i].state())) continue;
    if (!first.has_value() || run.steps[i].since < run.steps[*first].since) first = i;
  }
  return first;
}

std::string WhyFailed(const OpenControl& open, const BodyRecord& body) {
  const RunRecord& run = open.run();
  const std::optional<std::uint32_t> first = FirstFailed(run, body);
  if (first.has_value()) {
    return fmt::format("step '{}' failed: {}",
                       run.plan->NameOf(*first),
                       std::get<Failed>(run.steps[*first].state()).failure.message);
  }
  for (std::uint32_t i = body.first; i < body.first + body.count; ++i) {
    const auto* canceled = std::get_if<Canceled>(&run.steps[i].state());
    if (canceled == nullptr) continue;
    return fmt::format("step '{}' was canceled: {}", run.plan->NameOf(i), canceled->reason);
  }
  return "it did not complete";
}

void SucceedControl(OpenControl& open, std::vector<OutputValue> outputs) {
  const bool has_destination = std::ranges::any_of(outputs, [&](const OutputValue& value) {
    return std::holds_alternative<Artifact>(value.value) && HasDestination(open, value.name);
  });
  if (has_destination) {
    open.turn.decision.effects.emplace_back(ComposeOutputs{open.key, {}, std::move(outputs)});
    return;
  }
  MoveStep(open.turn, open.key, AttemptSucceeded{std::move(outputs)});
}

void FailControl(OpenControl& open, const std::string& message) {
  MoveStep(open.turn, open.key, AttemptFailed{{FailureCause::kBody, 0, message}});
}

void OpenStep(Turn& turn, const StepKey& key) {
  MoveStep(turn, key, Opened{});
  AdvanceControl(turn, key);
}

void AdvanceControl(Turn& turn, const StepKey& key) {
  const auto run = turn.state.runs.find(key.run);
  if (run == turn.state.runs.end() || run->second.plan == nullptr) return;
  OpenControl open{turn, key};
  if (!open.is_open()) return;
  // The plan may grow under the hands of those who follow it; what it has stays where it is.
  const std::shared_ptr<const Control> control = open.step().control;
  std::visit(Overloaded{
                 [&](const Condition&) { DecideCondition(open); },
                 [&](const DoWhile& loop) { AdvanceDoWhile(open, loop); },
                 [&](const ParallelFor& loop) { AdvanceParallelFor(open, loop); },
                 [&](const Sweep& sweep) { AdvanceSweep(open, sweep); },
                 [&](const Gang&) { AdvanceGang(open); },
                 [&](const auto&) {},
             },
             control->kind);
}

void StopBody(Turn& turn, RunId run_id, const BodyRecord& body, const std::string& reason) {
  const std::uint32_t end = body.first + body.count;
  for (std::uint32_t i = body.first; i < end; ++i) {
    const RunRecord& run = turn.state.runs.at(run_id);
    if (!IsTerminal(run.steps[i].state())) MoveStep(turn, {run_id, i}, StopRequested{reason});
  }
}

void EndBodies(Turn& turn, const RunRecord& run, std::uint32_t control) {
  const auto found = run.controls.find(control);
  if (found == run.controls.end() || found->second.live == 0) return;
  const std::string reason =
      fmt::format("step '{}', which it is a part of, has ended", run.plan->NameOf(control));
  for (const BodyRecord& body : found->second.bodies) {
    if (body.open_steps > 0) StopBody(turn, run.id, body, reason);
  }
}

void BodyStepEnded(Turn& turn, const RunRecord& run, std::uint32_t index) {
  const Segment& segment = run.plan->SegmentOf(index);
  if (!segment.control.has_value()) return;
  const StepKey key{run.id, *segment.control};
  const BodyRecord& body = run.controls.at(key.index).bodies[segment.ordinal];
  const bool failed = std::holds_alternative<Failed>(run.steps[index].state());
  if (failed && IsGang(run.plan->definition(key.index))) {
    StopBody(turn, run.id, body, run.plan->NameOf(index) + " failed: all members end together");
  } else if (failed && !run.plan->spec().settings.continue_on_step_failure) {
    OpenControl open{turn, key};
    // A trial that failed is one of many; what is left of it is of no use.
    if (std::holds_alternative<Sweep>(open.control().kind)) {
      StopBody(turn, run.id, body, "another step of its trial failed");
    } else if (open.is_open()) {
      FailControl(open, WhyFailed(open, body));
    }
  }
  if (body.open_steps == 0) turn.to_advance.insert(key);
}

}  // namespace potok::server
