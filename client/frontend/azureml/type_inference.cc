#include "client/frontend/azureml/type_inference.h"

#include <algorithm>
#include <memory>
#include <unordered_map>
#include <utility>
#include <variant>

#include "common/base/overloaded.h"
#include "common/pipeline/control.h"
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

// What a sweep tries and what a loop repeats has the inputs of its step.
void SetBodyType(const std::string& name, ValueType type, Step* step) {
  if (step->control == nullptr || step->control->body.size() != 1) return;
  if (!step->control->body.front().name.empty()) return;
  auto control = std::make_shared<Control>(*step->control);
  Step& body = control->body.front();
  if (Input* input = FindPort(body.inputs, name)) input->type = type;
  SetBodyType(name, type, &body);
  step->control = std::move(control);
}

class Inference {
 public:
  Inference(std::vector<Input>* inputs, std::vector<Output>* outputs, Scope* scope)
      : scope_(*scope) {
    for (std::size_t i = 0; i < scope_.steps.size(); ++i) steps_.emplace(scope_.steps[i].name, i);
    for (Input& input : *inputs) job_inputs_.emplace(input.name, &input);
    for (Output& output : *outputs) job_outputs_.emplace(output.name, &output);
  }

  void Run() {
    scope_.ForgetPorts();
    OpenPorts();
    for (const auto& [step, name] : scope_.untyped_outputs) TypeStepOutput(step, name);
    const std::set<StepPort> untyped = scope_.untyped_inputs;
    for (const StepPort& port : untyped) TypeStepInput(port);
    scope_.untyped_inputs = std::move(still_untyped_);
    TypeJobInputs();
    TypeJobOutputs();
  }

 private:
  // Outputs that others are bound to, of steps of which no file says what they make, have the type
  // that is wanted of them.
  void OpenPorts() {
    if (scope_.open_ports.empty()) return;
    for (std::size_t i = 0; i < scope_.steps.size(); ++i) {
      for (const Input& input : scope_.steps[i].inputs) {
        const std::optional<Expression> source = SourceOf(input);
        const auto* of = source ? std::get_if<StepOutput>(&*source) : nullptr;
        const auto step = of == nullptr ? steps_.end() : steps_.find(of->step);
        if (step == steps_.end() || !scope_.open_ports.contains(step->second)) continue;
        std::vector<Output>& outputs = scope_.steps[step->second].outputs;
        if (FindPort(outputs, of->name) != nullptr) continue;
        Output output;
        output.name = of->name;
        const bool is_typed = !scope_.untyped_inputs.contains({i, input.name});
        output.type = is_typed ? input.type : ValueType::kUriFolder;
        outputs.push_back(std::move(output));
      }
    }
  }

  // An inline node's output takes the type of the pipeline's output that it fills.
  void TypeStepOutput(std::size_t step, const std::string& name) {
    Output* output = FindPort(scope_.steps[step].outputs, name);
    if (output == nullptr || output->promoted_to.empty()) return;
    const Output* target = FindJobPort(job_outputs_, output->promoted_to);
    if (target != nullptr) output->type = target->type;
  }

  // Follows the binding; a chain of inputs is typed from its end. An input leaves the set before
  // its source is asked, so a circle ends.
  void TypeStepInput(const StepPort& port) {
    if (scope_.untyped_inputs.erase(port) == 0) return;
    Input* input = FindPort(scope_.steps[port.first].inputs, port.second);
    if (input == nullptr) return;
    const std::optional<Expression> source = SourceOf(*input);
    if (!source) return;
    if (const std::optional<ValueType> type = TypeOf(*source)) {
      input->type = *type;
      SetBodyType(port.second, *type, &scope_.steps[port.first]);
    } else {
      still_untyped_.insert(port);
    }
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
                     const Output* output = FindPort(scope_.steps[step->second].outputs, of.name);
                     if (output == nullptr) return std::nullopt;
                     return output->type;
                   },
                   [&](const StepInput& of) -> std::optional<ValueType> {
                     const auto step = steps_.find(of.step);
                     if (step == steps_.end()) return std::nullopt;
                     TypeStepInput({step->second, of.name});
                     const Input* input = FindPort(scope_.steps[step->second].inputs, of.name);
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
    for (const Step& step : scope_.steps) {
      for (const Input& input : step.inputs) {
        const std::optional<Expression> source = SourceOf(input);
        const auto* parent = source ? std::get_if<ParentInput>(&*source) : nullptr;
        if (parent != nullptr) readers[parent->name].insert(input.type);
      }
    }
    for (const std::string& name : scope_.untyped_pipeline_inputs) {
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
    for (const Step& step : scope_.steps) {
      for (const Output& output : step.outputs) {
        if (!scope_.untyped_pipeline_outputs.contains(output.promoted_to)) continue;
        if (Output* target = FindJobPort(job_outputs_, output.promoted_to)) {
          target->type = output.type;
        }
      }
    }
  }

  Scope& scope_;
  std::set<StepPort> still_untyped_;
  std::unordered_map<std::string, std::size_t> steps_;
  std::unordered_map<std::string, Input*> job_inputs_;
  std::unordered_map<std::string, Output*> job_outputs_;
};

}  // namespace

void InferTypes(std::vector<Input>* inputs, std::vector<Output>* outputs, Scope* scope) {
  Inference(inputs, outputs, scope).Run();
}

}  // namespace potok::client
