#include "server/domain/expand.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "common/pipeline/control.h"
#include "fmt/format.h"
#include "server/domain/segment_draft.h"

namespace potok::server {

namespace {

void Bind(const OutputValue& value, Input* input) {
  if (const auto* artifact = std::get_if<Artifact>(&value.value)) {
    input->value = *artifact;
  } else if (IsPrimitive(input->type)) {
    input->value = TextValue{std::get<std::string>(value.value)};
  } else {
    input->value = UriValue{std::get<std::string>(value.value)};
  }
}

// What the body's ${{parent.inputs.X}} refers to: the step's own inputs with their values of this
// time, and what only this time has (an item's keys, a search space's parameters).
std::vector<Input> InputsOf(const Step& control, const std::vector<OutputValue>& values) {
  std::vector<Input> inputs = control.inputs;
  for (Input& input : inputs) input.value = std::monostate();
  for (const OutputValue& value : values) {
    auto input = std::ranges::find(inputs, value.name, &Input::name);
    if (input == inputs.end()) {
      input = inputs.emplace(inputs.end());
      input->name = value.name;
      const bool is_text = std::holds_alternative<std::string>(value.value);
      input->type = is_text ? ValueType::kString : ValueType::kUriFolder;
    }
    Bind(value, &*input);
  }
  return inputs;
}

// What a sweep or a loop says of each step of its body.
void Adapt(const Step& outer, Step* step) {
  step->finalizes = false;  // only a whole run has an end that is waited for
  if (step->priority == 0) step->priority = outer.priority;
  if (!step->preemptible.has_value()) step->preemptible = outer.preemptible;
  const auto* sweep = std::get_if<Sweep>(&outer.control->kind);
  if (sweep == nullptr || sweep->trial_timeout_seconds <= 0) return;
  const std::int64_t limit = sweep->trial_timeout_seconds;
  step->timeout_seconds =
      step->timeout_seconds > 0 ? std::min(step->timeout_seconds, limit) : limit;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Segment>> Expand(const Plan& plan, const StepsAdded& added) {
  if (added.first != plan.size() || added.control >= plan.size()) {
    return absl::InternalError(fmt::format(
        "steps from {} on cannot be added to a plan of {} steps", added.first, plan.size()));
  }
  const Step& step = plan.definition(added.control);
  const std::string name = plan.NameOf(added.control);
  if (step.control == nullptr || step.control->body.size() != added.count) {
    return absl::InternalError(fmt::format("step '{}' has no body of {} steps", name, added.count));
  }
  SegmentDraft draft;
  Segment& segment = draft.head;
  segment.first = added.first;
  segment.control = added.control;
  segment.ordinal = added.ordinal;
  segment.prefix = fmt::format("{}[{}]", name, added.label);
  segment.spec.settings = plan.SegmentOf(added.control).spec.settings;
  if (!step.compute.empty()) segment.spec.settings.default_compute = step.compute;
  segment.spec.is_pipeline = true;
  segment.spec.inputs = InputsOf(step, added.values);
  segment.spec.steps = step.control->body;
  for (Step& of_body : segment.spec.steps) Adapt(step, &of_body);

  const std::string prefix = segment.prefix;
  auto made = MakeSegment(std::move(draft), &plan);
  if (made.ok()) return made;
  return absl::Status(made.status().code(),
                      fmt::format("{}: {}", prefix, std::string(made.status().message())));
}

void Grow(std::shared_ptr<const Segment> segment, std::shared_ptr<const Plan>* plan) {
  // Others get a plan only from its owner, so one that has no other holder will have none
  // meanwhile; the fence is for what they did before they let go of it.
  std::shared_ptr<Plan> grown;
  if (plan->use_count() == 1) {
    std::atomic_thread_fence(std::memory_order_acquire);
    grown = std::const_pointer_cast<Plan>(*plan);
  } else {
    grown = std::make_shared<Plan>(**plan);
  }
  grown->Append(std::move(segment));
  *plan = std::move(grown);
}

const Output* FindBodyOutput(const Control& control, const std::string& name, std::uint32_t* step) {
  for (std::uint32_t i = 0; i < control.body.size(); ++i) {
    for (const Output& output : control.body[i].outputs) {
      const bool is_own = control.body.size() == 1 && output.promoted_to.empty();
      if (output.promoted_to != name && !(is_own && output.name == name)) continue;
      *step = i;
      return &output;
    }
  }
  return nullptr;
}

}  // namespace potok::server
