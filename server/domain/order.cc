#include "server/domain/order.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "common/base/status_macros.h"
#include "common/pipeline/command.h"
#include "common/pipeline/parallel.h"
#include "common/pipeline/validate.h"
#include "fmt/format.h"

namespace potok::server {

namespace {

using Value = std::variant<std::string, Artifact>;

// What an upstream step delivered, or nothing.
std::optional<Value> Delivered(const RunRecord& run, const UpstreamOutput& reference) {
  const auto* succeeded = std::get_if<Succeeded>(&run.steps[reference.step].state());
  if (succeeded == nullptr) return std::nullopt;
  const std::string& name = run.plan->definition(reference.step).outputs[reference.output].name;
  const auto it = std::find_if(succeeded->outputs.begin(),
                               succeeded->outputs.end(),
                               [&](const OutputValue& output) { return output.name == name; });
  if (it == succeeded->outputs.end()) return std::nullopt;
  if (const auto* artifact = std::get_if<Artifact>(&it->value)) return *artifact;
  return std::get<std::string>(it->value);
}

absl::Status Undelivered(const RunRecord& run, const Input& input, const UpstreamOutput& missing) {
  return absl::FailedPreconditionError(
      fmt::format("input '{}' has no value: step '{}' ended ({}) without its output '{}'",
                  input.name,
                  run.plan->NameOf(missing.step),
                  NameOf(run.steps[missing.step].state()),
                  run.plan->definition(missing.step).outputs[missing.output].name));
}

// Nothing where an optional input has no value.
absl::StatusOr<std::optional<Value>> ValueOf(const RunRecord& run,
                                             const Input& input,
                                             const std::vector<PlanPart>& parts) {
  std::string joined;
  for (const PlanPart& part : parts) {
    if (const auto* text = std::get_if<std::string>(&part)) {
      joined += *text;
      continue;
    }
    const auto& reference = std::get<UpstreamOutput>(part);
    std::optional<Value> value = Delivered(run, reference);
    if (!value.has_value()) {
      if (input.optional) return std::optional<Value>();
      return Undelivered(run, input, reference);
    }
    if (const auto* text = std::get_if<std::string>(&*value)) {
      joined += *text;
      continue;
    }
    if (parts.size() == 1) return value;
    return absl::FailedPreconditionError(
        fmt::format("input '{}' joins text with the files of step '{}'; bind it to them alone",
                    input.name,
                    run.plan->NameOf(reference.step)));
  }
  if (!IsPrimitive(input.type)) return std::optional<Value>(std::move(joined));
  const auto coerced = Coerce(joined, input.type);
  if (coerced.ok()) return std::optional<Value>(*coerced);
  return absl::FailedPreconditionError(
      fmt::format("input '{}': {}", input.name, std::string(coerced.status().message())));
}

// What the step runs: its command, or what is made of its control.
std::string WrittenCommandOf(const Step& step) {
  if (step.control == nullptr) return step.command;
  const auto* parallel = std::get_if<Parallel>(&step.control->kind);
  return parallel == nullptr ? step.command : CommandOfParallel(*parallel);
}

absl::StatusOr<std::string> CommandOf(const Step& step, const std::vector<OrderInput>& inputs) {
  std::string command = WrittenCommandOf(step);
  if (!HasOptionalBlocks(command)) return command;
  std::set<std::string> with_value;
  for (const OrderInput& input : inputs) with_value.insert(step.inputs[input.input].name);
  return ResolveOptionalBlocks(command, with_value);
}

// Whether inputs without a value get one for each item or trial. Those that do not are missed by
// the body's steps that take them.
bool FeedsItsBody(const Step& step) {
  return step.control != nullptr && (std::holds_alternative<ParallelFor>(step.control->kind) ||
                                     std::holds_alternative<Sweep>(step.control->kind));
}

}  // namespace

absl::StatusOr<std::vector<OrderInput>> ResolveInputs(const RunRecord& run, std::uint32_t index) {
  const Step& step = run.plan->definition(index);
  const absl::Span<const PlanInput> planned = run.plan->planned(index).inputs;
  const bool is_fed_later = FeedsItsBody(step);
  std::vector<OrderInput> inputs;
  for (std::uint32_t i = 0; i < planned.size(); ++i) {
    const Input& input = step.inputs[i];
    std::optional<Value> value;
    if (const auto* artifact = std::get_if<Artifact>(&planned[i].value)) {
      value = *artifact;
    } else if (const auto* parts = std::get_if<std::vector<PlanPart>>(&planned[i].value)) {
      POTOK_ASSIGN_OR_RETURN(value, ValueOf(run, input, *parts));
    } else if (!input.optional && !is_fed_later) {
      return absl::FailedPreconditionError(
          fmt::format("input '{}' has no value and is not optional", input.name));
    }
    if (value.has_value()) inputs.push_back({i, *std::move(value)});
  }
  return inputs;
}

absl::StatusOr<StartOrder> BuildStartOrder(const RunRecord& run, std::uint32_t index) {
  const StepRecord& record = run.steps[index];
  const Step& step = run.plan->definition(index);
  StartOrder order;
  order.key = {run.id, index, record.attempt};
  order.run = run.name;
  order.plan = run.plan;
  POTOK_ASSIGN_OR_RETURN(order.inputs, ResolveInputs(run, index));
  POTOK_ASSIGN_OR_RETURN(order.command, CommandOf(step, order.inputs));
  const Placement* placement = PlacementOf(record.state());
  if (placement != nullptr) order.gpus = placement->gpus;
  order.memory_bytes = RequestOf(run, index).memory_bytes;
  return order;
}

}  // namespace potok::server
