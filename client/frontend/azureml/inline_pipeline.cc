#include "client/frontend/azureml/inline_pipeline.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/ascii.h"
#include "client/frontend/azureml/node_type.h"
#include "client/frontend/azureml/step_names.h"
#include "common/base/overloaded.h"
#include "common/pipeline/template.h"

namespace potok::client {

namespace {

// Longer chains of ${{parent.jobs.X.inputs.Y}} are circles, or nobody's.
constexpr int kInputChainMax = 100;

// Adds the nodes that the texts in `value` are bound to.
void AddSources(const YamlNode& value, std::set<std::string>* sources) {
  for (const YamlEntry& entry : value.entries) AddSources(*entry.value, sources);
  const auto parts = ParseTemplate(value.IsScalar() ? value.text : "", TemplatePlace::kBinding);
  if (!parts.ok()) return;
  for (const TemplatePart& part : *parts) {
    const auto* expression = std::get_if<Expression>(&part);
    if (expression == nullptr) continue;
    if (const auto* output = std::get_if<StepOutput>(expression)) sources->insert(output->step);
    if (const auto* input = std::get_if<StepInput>(expression)) sources->insert(input->step);
  }
}

struct StandingNode {
  std::string name;
  bool is_gathered = false;
};

// The node that stands for `name`: what a loop of that name repeats, or the node itself.
StandingNode BodyOfNode(const std::string& name, const Scope& scope) {
  StandingNode body{name, false};
  for (std::size_t i = 0; i <= scope.loops.size(); ++i) {
    const auto loop = scope.loops.find(body.name);
    if (loop == scope.loops.end()) break;
    body = {loop->second.body, body.is_gathered || loop->second.gathers};
  }
  return body;
}

std::set<std::string> NeededBy(const YamlEntry& pipeline, const Scope& scope) {
  const YamlEntry* inputs = pipeline.value->Find("inputs");
  std::set<std::string> sources;
  if (inputs != nullptr) AddSources(*inputs->value, &sources);
  std::set<std::string> needed;
  for (const std::string& source : sources) needed.insert(BodyOfNode(source, scope).name);
  return needed;
}

std::optional<Expression> OnlyExpressionOf(const Input& input) {
  const auto* text = std::get_if<TextValue>(&input.value);
  const auto parts = ParseTemplate(text == nullptr ? "" : text->text, TemplatePlace::kBinding);
  if (!parts.ok() || !IsSingleExpression(*parts)) return std::nullopt;
  return std::get<Expression>(parts->front());
}

// Looks up the types of what is read already.
class SourceTypes {
 public:
  explicit SourceTypes(const Scope& scope) : scope_(scope) {}

  std::optional<ValueType> Of(const Expression& source) {
    if (++chain_ > kInputChainMax) return std::nullopt;
    return std::visit(
        Overloaded{[this](const ParentInput& parent) { return TypeIn(scope_.inputs, parent.name); },
                   [this](const StepOutput& output) { return OfOutput(output); },
                   [this](const StepInput& input) { return OfInput(input); },
                   [](const auto&) { return std::optional<ValueType>(); }},
        source);
  }

 private:
  template <class Ports>
  static std::optional<ValueType> TypeIn(const Ports* ports, const std::string& name) {
    if (ports == nullptr) return std::nullopt;
    const auto port =
        std::ranges::find_if(*ports, [&](const auto& one) { return one.name == name; });
    if (port == ports->end()) return std::nullopt;
    return port->type;
  }

  std::optional<ValueType> OfOutput(const StepOutput& source) {
    const StandingNode body = BodyOfNode(source.step, scope_);
    const std::size_t index = scope_.IndexOf(body.name);
    if (index == scope_.steps.size()) return std::nullopt;
    const std::vector<Output>& outputs = scope_.steps[index].outputs;
    std::optional<ValueType> type = TypeIn(&outputs, source.name);
    if (scope_.untyped_outputs.contains({index, source.name})) {
      const auto output = std::ranges::find(outputs, source.name, &Output::name);
      const auto promoted = TypeIn(scope_.outputs, output->promoted_to);
      if (promoted) type = promoted;
    }
    if (!type || !body.is_gathered) return type;
    return IsPrimitive(*type) ? ValueType::kString : ValueType::kMltable;
  }

  std::optional<ValueType> OfInput(const StepInput& source) {
    const std::size_t index = scope_.IndexOf(BodyOfNode(source.step, scope_).name);
    if (index == scope_.steps.size()) return std::nullopt;
    const std::vector<Input>& inputs = scope_.steps[index].inputs;
    const auto input = std::ranges::find(inputs, source.name, &Input::name);
    if (input == inputs.end()) return std::nullopt;
    const bool is_untyped = scope_.untyped_inputs.contains({index, source.name});
    const std::optional<Expression> from = is_untyped ? OnlyExpressionOf(*input) : std::nullopt;
    return from ? Of(*from) : input->type;
  }

  const Scope& scope_;
  int chain_ = 0;
};

}  // namespace

void NoteLoops(const std::vector<const YamlEntry*>& control_flow, Scope* scope) {
  for (const YamlEntry* loop : control_flow) {
    const YamlEntry* body = loop->value->Find("body");
    const YamlEntry* type = loop->value->Find("type");
    if (body == nullptr || !body->value->IsScalar() || type == nullptr) continue;
    const NodeKind kind = KindOfType(absl::AsciiStrToLower(type->value->text));
    scope->loops[loop->key] = {StepNameOf(body->value->text), kind == NodeKind::kParallelFor};
  }
}

std::vector<const YamlEntry*> InOrderOfNeed(const std::vector<const YamlEntry*>& pipelines,
                                            const Scope& scope) {
  std::map<std::string, const YamlEntry*> by_name;
  for (const YamlEntry* pipeline : pipelines) by_name.emplace(pipeline->key, pipeline);
  std::set<const YamlEntry*> seen;
  std::vector<const YamlEntry*> order;
  for (const YamlEntry* pipeline : pipelines) {
    // Twice on the stack: when it is met, and when all that it needs is in order.
    std::vector<std::pair<const YamlEntry*, bool>> stack = {{pipeline, false}};
    while (!stack.empty()) {
      const auto [node, is_ready] = stack.back();
      stack.pop_back();
      if (is_ready) {
        order.push_back(node);
        continue;
      }
      if (!seen.insert(node).second) continue;
      stack.emplace_back(node, true);
      for (const std::string& name : NeededBy(*node, scope)) {
        const auto needed = by_name.find(name);
        if (needed != by_name.end()) stack.emplace_back(needed->second, false);
      }
    }
  }
  return order;
}

void TypeGivenInputs(Scope* scope, Step* step) {
  for (Input& input : step->inputs) {
    const StepPort port{scope->steps.size(), input.name};
    const std::optional<Expression> source = OnlyExpressionOf(input);
    if (!source || !scope->untyped_inputs.contains(port)) continue;
    const std::optional<ValueType> type = SourceTypes(*scope).Of(*source);
    if (!type) continue;
    input.type = *type;
    scope->untyped_inputs.erase(port);
  }
}

}  // namespace potok::client
