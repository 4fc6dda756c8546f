#include "common/pipeline/flatten.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "common/pipeline/flatten_values.h"
#include "common/pipeline/template.h"
#include "common/pipeline/when.h"
#include "fmt/format.h"

namespace potok {

namespace {

bool IsNestedStep(const Step& step) {
  return step.control != nullptr && std::holds_alternative<Nested>(step.control->kind);
}

// One level, whose nested pipelines are flat inside.
class LevelFlattening {
 public:
  LevelFlattening(std::string owner, std::vector<Step>* steps, std::vector<Problem>* problems)
      : owner_(std::move(owner)), steps_(*steps), problems_(*problems) {
    for (const Step& step : steps_) {
      if (IsNestedStep(step)) AddNested(step);
    }
  }

  void Run() {
    std::vector<Step> flat;
    for (Step& step : steps_) {
      Rewrite(&step);
      if (nested_.contains(step.name)) {
        Expand(step, &flat);
      } else {
        flat.push_back(std::move(step));
      }
    }
    steps_ = std::move(flat);
  }

 private:
  struct Port {
    std::string step;  // after flattening
    std::string name;
  };
  struct NestedStep {
    const Step* step = nullptr;
    std::vector<std::string> members;       // names after flattening
    std::map<std::string, Port> producers;  // by output
    std::set<std::string> resolving;        // inputs whose values are being looked up
  };

  std::string WhereOf(const std::string& step, const std::string& rest) const {
    return fmt::format("jobs.{}{}.{}", owner_.empty() ? "" : owner_ + "/", step, rest);
  }
  void Error(const std::string& step, const std::string& rest, const std::string& message) {
    problems_.push_back({Severity::kError, WhereOf(step, rest), message});
  }

  void AddNested(const Step& step) {
    NestedStep& nested = nested_[step.name];
    nested.step = &step;
    for (const Step& member : step.control->body) {
      const std::string name = step.name + "/" + member.name;
      nested.members.push_back(name);
      for (const Output& output : member.outputs) {
        if (!output.promoted_to.empty()) nested.producers[output.promoted_to] = {name, output.name};
      }
    }
  }

  // An expression of this level in terms of flat steps.
  Replacement FlatValue(const Expression& expression, const std::string& step, const char* rest) {
    if (const auto* output = std::get_if<StepOutput>(&expression)) {
      const auto nested = nested_.find(output->step);
      if (nested == nested_.end()) return std::nullopt;
      const auto producer = nested->second.producers.find(output->name);
      if (producer == nested->second.producers.end()) {
        Error(step,
              rest,
              fmt::format("no step of '{}' makes its output '{}'", output->step, output->name));
        return std::nullopt;
      }
      return TextValue{Spelled(StepOutput{producer->second.step, producer->second.name})};
    }
    const auto* input = std::get_if<StepInput>(&expression);
    const auto nested = input == nullptr ? nested_.end() : nested_.find(input->step);
    if (nested == nested_.end()) return std::nullopt;
    return NestedInput(&nested->second, input->name);
  }

  // The value of an input of a nested pipeline. Circles are Validate's business; one that was not
  // seen ends here with no value.
  Binding NestedInput(NestedStep* nested, const std::string& name) {
    const auto input = std::ranges::find(nested->step->inputs, name, &Input::name);
    if (input == nested->step->inputs.end() || !nested->resolving.insert(name).second) {
      return std::monostate();
    }
    Binding value = Replaced(AsTyped(*input), [&](const Expression& expression) {
      return FlatValue(expression, nested->step->name, "inputs");
    });
    nested->resolving.erase(name);
    return value;
  }

  std::vector<std::string> FlatNames(const std::vector<std::string>& names) const {
    std::vector<std::string> flat;
    for (const std::string& name : names) {
      const auto nested = nested_.find(name);
      if (nested == nested_.end()) {
        flat.push_back(name);
      } else {
        flat.insert(flat.end(), nested->second.members.begin(), nested->second.members.end());
      }
    }
    return flat;
  }

  // The function of all steps of a nested pipeline: it failed if one did.
  static std::string OfAll(const std::string& function, const std::vector<std::string>& members) {
    const bool any = function == "failed" || function == "canceled";
    std::string text;
    for (const std::string& member : members) {
      if (!text.empty()) text += any ? " or " : " and ";
      text += function + "(" + member + ")";
    }
    return "(" + text + ")";
  }

  std::string FlatWhen(const Step& step) {
    const auto when = When::Parse(step.when);
    if (!when.ok()) return step.when;
    return when->Rewritten([&](const WhenReference& reference) -> std::string {
      const auto nested = nested_.find(reference.step);
      if (reference.kind == WhenReference::Kind::kInput || nested == nested_.end()) {
        return reference.text;
      }
      if (reference.kind == WhenReference::Kind::kState) {
        return OfAll(reference.function, nested->second.members);
      }
      const auto producer = nested->second.producers.find(reference.port);
      if (producer == nested->second.producers.end()) {
        Error(step.name,
              "when",
              fmt::format("no step of '{}' makes its output '{}'", reference.step, reference.port));
        return reference.text;
      }
      return fmt::format("jobs.{}.outputs.{}", producer->second.step, producer->second.name);
    });
  }

  // What the step says of others of this level. Values of nested pipelines' own inputs stay, since
  // those are read in place.
  void Rewrite(Step* step) {
    if (!step->when.empty()) step->when = FlatWhen(*step);
    step->depends_on = FlatNames(step->depends_on);
    if (nested_.contains(step->name)) return;
    for (Input& input : step->inputs) {
      const std::string rest = "inputs." + input.name;
      input.value = Replaced(input.value, [&](const Expression& expression) {
        return FlatValue(expression, step->name, rest.c_str());
      });
    }
  }

  void Expand(const Step& outer, std::vector<Step>* flat) {
    NestedStep& nested = nested_[outer.name];
    const bool is_decided = !outer.when.empty();
    if (is_decided) flat->push_back(Gate(outer, nested));
    for (const Step& member : outer.control->body) {
      Step step = member;
      const bool is_root = NeedsNoOther(member);
      step.name = outer.name + "/" + member.name;
      MoveInputs(outer, &nested, &step);
      MoveOutputs(outer, &step);
      for (std::string& name : step.depends_on) name.insert(0, outer.name + "/");
      step.when = MovedWhen(outer, &nested, member);
      if (is_decided) {
        step.when = BothWhen(step.when,
                             fmt::format("jobs.{}.outputs.{} == true", outer.name, kTakenOutput));
      } else if (is_root) {
        step.depends_on.insert(
            step.depends_on.end(), outer.depends_on.begin(), outer.depends_on.end());
      }
      TakePlacement(outer, &step);
      step.finalizes = step.finalizes || outer.finalizes;
      flat->push_back(std::move(step));
    }
  }

  // Decides once for all steps of a nested pipeline. It waits for what they would have waited for.
  Step Gate(const Step& outer, const NestedStep& nested) {
    Step gate;
    gate.name = outer.name;
    gate.display_name = outer.display_name;
    gate.when = outer.when;
    gate.depends_on = outer.depends_on;
    gate.finalizes = outer.finalizes;
    gate.priority = outer.priority;
    Input condition;
    condition.name = kConditionInput;
    condition.type = ValueType::kBoolean;
    condition.value = TextValue{"True"};
    gate.inputs.push_back(std::move(condition));
    Output taken;
    taken.name = kTakenOutput;
    taken.type = ValueType::kBoolean;
    taken.control = true;
    gate.outputs.push_back(std::move(taken));
    gate.control = std::make_shared<const Control>(Control{Condition{}, {}});
    for (const Input& input : nested.step->inputs) {
      Replaced(input.value, [&](const Expression& expression) -> Replacement {
        const auto* output = std::get_if<StepOutput>(&expression);
        if (output == nullptr) return std::nullopt;
        for (const std::string& name : FlatNames({output->step})) {
          const bool is_known = std::ranges::find(gate.depends_on, name) != gate.depends_on.end();
          if (!is_known) gate.depends_on.push_back(name);
        }
        return std::nullopt;
      });
    }
    return gate;
  }

  void MoveInputs(const Step& outer, NestedStep* nested, Step* step) {
    for (Input& input : step->inputs) {
      input.value = Replaced(input.value, [&](const Expression& expression) -> Replacement {
        if (const auto* parent = std::get_if<ParentInput>(&expression)) {
          TakeMode(*nested->step, parent->name, &input);
          return NestedInput(nested, parent->name);
        }
        if (const auto* output = std::get_if<StepOutput>(&expression)) {
          return TextValue{Spelled(StepOutput{outer.name + "/" + output->step, output->name})};
        }
        if (const auto* of = std::get_if<StepInput>(&expression)) {
          return TextValue{Spelled(StepInput{outer.name + "/" + of->step, of->name})};
        }
        return std::nullopt;
      });
    }
  }

  // How the nested pipeline wishes to see a file, where its step says nothing.
  static void TakeMode(const Step& outer, const std::string& name, Input* input) {
    const auto port = std::ranges::find(outer.inputs, name, &Input::name);
    if (port != outer.inputs.end() && input->mode == Mode::kDefault) input->mode = port->mode;
  }

  // Where the steps without one run, and how urgently. Of a sweep those are its trials.
  static void TakePlacement(const Step& outer, Step* step) {
    const bool is_sweep =
        step->control != nullptr && std::holds_alternative<Sweep>(step->control->kind);
    if (!is_sweep) {
      if (step->compute.empty()) step->compute = outer.compute;
      if (step->priority == 0) step->priority = outer.priority;
      if (!step->preemptible.has_value()) step->preemptible = outer.preemptible;
      return;
    }
    auto control = std::make_shared<Control>(*step->control);
    for (Step& trial : control->body) TakePlacement(outer, &trial);
    step->control = std::move(control);
  }

  // What the node says of an output of its pipeline holds for the step that makes it.
  static void MoveOutputs(const Step& outer, Step* step) {
    for (Output& output : step->outputs) {
      if (output.promoted_to.empty()) continue;
      const auto port = std::ranges::find(outer.outputs, output.promoted_to, &Output::name);
      output.promoted_to.clear();
      if (port == outer.outputs.end()) continue;
      output.promoted_to = port->promoted_to;
      if (port->mode != Mode::kDefault) output.mode = port->mode;
      if (!port->path.empty()) output.path = port->path;
      if (!port->asset_name.empty()) {
        output.asset_name = port->asset_name;
        output.asset_version = port->asset_version;
      }
    }
  }

  std::string MovedWhen(const Step& outer, NestedStep* nested, const Step& member) {
    const auto when = When::Parse(member.when);
    if (!when.ok() || member.when.empty()) return member.when;
    const std::string flat_name = outer.name + "/" + member.name;
    return when->Rewritten([&](const WhenReference& reference) -> std::string {
      const std::string step = outer.name + "/" + reference.step;
      switch (reference.kind) {
        case WhenReference::Kind::kState:
          return reference.function + "(" + step + ")";
        case WhenReference::Kind::kStatus:
          return fmt::format("jobs.{}.status", step);
        case WhenReference::Kind::kOutput:
          return fmt::format("jobs.{}.outputs.{}", step, reference.port);
        case WhenReference::Kind::kInput:
          return MovedWhenInput(nested, reference, flat_name);
      }
      return reference.text;
    });
  }

  std::string MovedWhenInput(NestedStep* nested,
                             const WhenReference& reference,
                             const std::string& step) {
    const Binding value = NestedInput(nested, reference.port);
    const auto port = std::ranges::find(nested->step->inputs, reference.port, &Input::name);
    const auto* text = std::get_if<TextValue>(&value);
    if (text == nullptr || port == nested->step->inputs.end()) return "null";
    const auto parts = ParseTemplate(text->text, TemplatePlace::kBinding);
    const bool is_literal = text->text.find("${{") == std::string::npos;
    if (is_literal || !parts.ok()) return WhenLiteral(text->text, port->type);
    const auto* expression =
        IsSingleExpression(*parts) ? &std::get<Expression>(parts->front()) : nullptr;
    if (const auto* parent =
            expression != nullptr ? std::get_if<ParentInput>(expression) : nullptr) {
      return "inputs." + parent->name;
    }
    if (const auto* output =
            expression != nullptr ? std::get_if<StepOutput>(expression) : nullptr) {
      return fmt::format("jobs.{}.outputs.{}", output->step, output->name);
    }
    Error(step,
          "when",
          fmt::format("input '{}' is made of several texts ({}), which a condition cannot look at; "
                      "bind it to one value",
                      reference.port,
                      text->text));
    return "null";
  }

  const std::string owner_;
  std::vector<Step>& steps_;
  std::vector<Problem>& problems_;
  std::map<std::string, NestedStep> nested_;
};

}  // namespace

void FlattenSteps(const std::string& owner,
                  std::vector<Step>* steps,
                  std::vector<Problem>* problems) {
  for (Step& step : *steps) {
    if (step.control == nullptr || step.control->body.empty()) continue;
    auto control = std::make_shared<Control>(*step.control);
    const std::string name = step.name.empty() ? "body" : step.name;
    FlattenSteps(owner.empty() ? name : owner + "/" + name, &control->body, problems);
    step.control = std::move(control);
  }
  LevelFlattening(owner, steps, problems).Run();
}

bool NeedsNoOther(const Step& step) {
  const auto when = When::Parse(step.when);
  if (!step.depends_on.empty() || (when.ok() && !when->Steps().empty())) return false;
  const auto names_step = [](const TemplatePart& part) {
    const auto* expression = std::get_if<Expression>(&part);
    return expression != nullptr && std::holds_alternative<StepOutput>(*expression);
  };
  return std::ranges::none_of(step.inputs, [&](const Input& input) {
    const auto* text = std::get_if<TextValue>(&input.value);
    if (text == nullptr) return false;
    const auto parts = ParseTemplate(text->text, TemplatePlace::kBinding);
    return parts.ok() && std::ranges::any_of(*parts, names_step);
  });
}

std::vector<Problem> Flatten(PipelineSpec* spec) {
  std::vector<Problem> problems;
  FlattenSteps("", &spec->steps, &problems);
  return problems;
}

}  // namespace potok
