#include "client/frontend/azureml/type_inference.h"

#include <algorithm>
#include <unordered_map>
#include <variant>

#include "common/base/overloaded.h"
#include "common/pipeline/template.h"
#include "common/pipeline/validate.h"

namespace potok::client {

namespace {

// The one expression that an input is bound to, or nothing.
std::optional<Expression> SourceOf(const Input& input) {
  const auto* text = std::get_if<TextValue>(&input.value);
  if (text == nullptr || text->text.find("${{") == std::string::npos) return std::nullopt;
  const auto parts = ParseTemplate(text->text, TemplatePlace::kBinding);
  if (!parts.ok() || !IsSingleExpression(*parts)) return std::nullopt;
  return std::get<Expression>(parts->front());
}

template <class Ports>
auto* FindPort(Ports& ports, const std::string& name) {
  const auto found = std::ranges::find(ports, name, [](const auto& port) { return port.name; });
  return found == ports.end() ? nullptr : &*found;
}

template <class Port>
Port* FindJobPort(const std::unordered_map<std::string, Port*>& ports, const std::string& name) {
  const auto found = ports.find(name);
  return found == ports.end() ? nullptr : found->second;
}

class Inference {
 public:
  explicit Inference(Reading* reading) : reading_(reading), spec_(reading->spec) {
    for (std::size_t i = 0; i < spec_.steps.size(); ++i) steps_.emplace(spec_.steps[i].name, i);
    for (Input& input : spec_.inputs) job_inputs_.emplace(input.name, &input);
    for (Output& output : spec_.outputs) job_outputs_.emplace(output.name, &output);
  }

  void Run() {
    for (const auto& [step, name] : reading_->untyped_outputs) TypeStepOutput(step, name);
    const std::set<StepPort> untyped = reading_->untyped_inputs;
    for (const StepPort& port : untyped) TypeStepInput(port);
    TypeJobInputs();
    TypeJobOutputs();
  }

 private:
  // An inline node's output takes the type of the pipeline's output that it fills.
  void TypeStepOutput(std::size_t step, const std::string& name) {
    Output* output = FindPort(spec_.steps[step].outputs, name);
    if (output == nullptr || output->promoted_to.empty()) return;
    const Output* target = FindJobPort(job_outputs_, output->promoted_to);
    if (target != nullptr) output->type = target->type;
  }

  // Follows the binding; a chain of inputs is typed from its end. An input leaves the set before
  // its source is asked, so a circle ends.
  void TypeStepInput(const StepPort& port) {
    if (reading_->untyped_inputs.erase(port) == 0) return;
    Input* input = FindPort(spec_.steps[port.first].inputs, port.second);
    if (input == nullptr) return;
    const std::optional<Expression> source = SourceOf(*input);
    if (!source) return;
    if (const std::optional<ValueType> type = TypeOf(*source)) input->type = *type;
  }

  std::optional<ValueType> TypeOf(const Expression& source) {
    return std::visit(
        Overloaded{[&](const ParentInput& parent) -> std::optional<ValueType> {
                     const Input* input = FindJobPort(job_inputs_, parent.name);
                     if (input == nullptr) return std::nullopt;
                     return input->type;
                   },
                   [&](const StepOutput& of) -> std::optional<ValueType> {
                     const auto step = steps_.find(of.step);
                     if (step == steps_.end()) return std::nullopt;
                     const Output* output = FindPort(spec_.steps[step->second].outputs, of.name);
                     if (output == nullptr) return std::nullopt;
                     return output->type;
                   },
                   [&](const StepInput& of) -> std::optional<ValueType> {
                     const auto step = steps_.find(of.step);
                     if (step == steps_.end()) return std::nullopt;
                     TypeStepInput({step->second, of.name});
                     const Input* input = FindPort(spec_.steps[step->second].inputs, of.name);
                     if (input == nullptr) return std::nullopt;
                     return input->type;
                   },
                   [](const auto&) -> std::optional<ValueType> { return std::nullopt; }},
        source);
  }

  // A bare literal such as 1e-3 is a string to YAML 1.1; if every port that reads it declares the
  // same other primitive type, and it is one, it has that type.
  void TypeJobInputs() {
    std::map<std::string, std::set<ValueType>> readers;
    for (const Step& step : spec_.steps) {
      for (const Input& input : step.inputs) {
        const std::optional<Expression> source = SourceOf(input);
        const auto* parent = source ? std::get_if<ParentInput>(&*source) : nullptr;
        if (parent != nullptr) readers[parent->name].insert(input.type);
      }
    }
    for (const std::string& name : reading_->untyped_job_inputs) {
      Input* input = FindJobPort(job_inputs_, name);
      const auto* text = input == nullptr ? nullptr : std::get_if<TextValue>(&input->value);
      const auto wanted = readers.find(name);
      if (text == nullptr || wanted == readers.end() || wanted->second.size() != 1) continue;
      const ValueType type = *wanted->second.begin();
      if (type == input->type || !IsPrimitive(type) || !IsPrimitive(input->type)) continue;
      const absl::StatusOr<std::string> coerced = Coerce(text->text, type);
      if (!coerced.ok()) continue;
      input->type = type;
      input->value = TextValue{*coerced};
    }
  }

  void TypeJobOutputs() {
    for (const Step& step : spec_.steps) {
      for (const Output& output : step.outputs) {
        if (!reading_->untyped_job_outputs.contains(output.promoted_to)) continue;
        if (Output* target = FindJobPort(job_outputs_, output.promoted_to)) {
          target->type = output.type;
        }
      }
    }
  }

  Reading* reading_;
  PipelineSpec& spec_;
  std::unordered_map<std::string, std::size_t> steps_;
  std::unordered_map<std::string, Input*> job_inputs_;
  std::unordered_map<std::string, Output*> job_outputs_;
};

}  // namespace

void InferTypes(Reading* reading) {
  Inference(reading).Run();
}

}  // namespace potok::client
