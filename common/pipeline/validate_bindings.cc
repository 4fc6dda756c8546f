// What the inputs of steps are bound to.
#include "common/base/overloaded.h"
#include "common/pipeline/template.h"
#include "common/pipeline/validation.h"
#include "fmt/format.h"

namespace potok {

namespace {

bool HasValue(const Input& input) {
  return !std::holds_alternative<std::monostate>(input.value);
}

// Checks one input of one step.
class BindingCheck {
 public:
  BindingCheck(const SpecIndex& index,
               std::uint32_t step,
               std::uint32_t input,
               const FedInputs& fed,
               Problems* problems,
               std::vector<StepReference>* references)
      : index_(index),
        step_(step),
        position_(input),
        input_(index.spec().steps[step].inputs[input]),
        fed_(fed),
        problems_(problems),
        references_(references) {}

  void Run() {
    std::visit(Overloaded{[this](std::monostate) { CheckMissing(); },
                          [this](const TextValue& text) { CheckText(text.text); },
                          [this](const Artifact& artifact) { CheckArtifact(artifact); },
                          [this](const auto&) { CheckData(); }},
               input_.value);
  }

 private:
  std::string Where() const { return index_.Where(step_, "inputs." + input_.name); }
  void Error(const std::string& message) { problems_->Error(Where(), message); }
  void Warning(const std::string& message) { problems_->Warning(Where(), message); }

  void CheckMissing() {
    if (input_.optional || fed_.all || fed_.names.contains(input_.name)) return;
    Error("a value is required; bind one, or declare a default");
  }

  void CheckData() {
    if (IsPrimitive(input_.type)) {
      Error(fmt::format("a file or folder is bound, and the type is {}", NameOf(input_.type)));
    }
  }

  void CheckArtifact(const Artifact& artifact) {
    CheckData();
    if (artifact.is_folder && input_.type == ValueType::kUriFile) {
      Warning("a folder is bound, and the type is uri_file");
    }
  }

  void CheckText(const std::string& text) {
    const auto parts = ParseTemplate(text, TemplatePlace::kBinding);
    if (!parts.ok()) {
      Error(std::string(parts.status().message()));
      return;
    }
    const bool single = IsSingleExpression(*parts);
    bool literal = true;
    for (const TemplatePart& part : *parts) {
      const auto* expression = std::get_if<Expression>(&part);
      if (expression == nullptr) continue;
      literal = false;
      std::visit([this, single](const auto& target) { CheckTarget(target, single); }, *expression);
    }
    if (literal) CheckLiteral(text);
  }

  void CheckLiteral(const std::string& text) {
    if (!IsPrimitive(input_.type)) {
      // The server keeps what a front end made of text with references in it: a URI.
      const bool is_uri = text.find(':') != std::string::npos && text.find(':') != 0;
      if (!is_uri) {
        Error(fmt::format(
            "'{}' is text, and the type is {}; bind a file or folder", text, NameOf(input_.type)));
      }
      return;
    }
    if (const absl::Status status = CheckValue(text, input_); !status.ok()) {
      Error(std::string(status.message()));
    }
  }

  void CheckTarget(const ParentInput& target, bool single) {
    const Input* source = index_.FindPipelineInput(target.name);
    if (source == nullptr) {
      Error(fmt::format("{} has no input '{}'{}",
                        index_.spec().Title(),
                        target.name,
                        problems_->Suggestion(target.name, index_.spec().inputs)));
      return;
    }
    if (!HasValue(*source)) {
      if (source->optional && !input_.optional && !index_.spec().fed.contains(target.name)) {
        Error(
            fmt::format("a value is required, and the optional input '{}' has none", target.name));
      }
      return;
    }
    const std::string name =
        index_.spec().owner.empty()
            ? fmt::format("the pipeline's input '{}'", target.name)
            : fmt::format("input '{}' of {}", target.name, index_.spec().Title());
    const auto* text = std::get_if<TextValue>(&source->value);
    const bool is_literal = text != nullptr && text->text.find("${{") == std::string::npos;
    if (single && is_literal && IsPrimitive(source->type) && IsPrimitive(input_.type)) {
      CheckGiven(name, *source, text->text);
      return;
    }
    CheckType(name, source->type, single);
  }

  // A literal of the pipeline, in the words of the port's own type: True is "True" for a string.
  void CheckGiven(const std::string& name, const Input& source, const std::string& text) {
    const absl::StatusOr<std::string> value = Coerce(text, source.type);
    if (!value.ok() || !CheckValue(*value, source).ok()) return;  // said at that input
    if (const absl::Status status = CheckValue(*value, input_); !status.ok()) {
      Error(fmt::format("{} does not fit: {}", name, std::string(status.message())));
    }
  }

  void CheckTarget(const ParentOutput& target, bool) {
    Error(
        fmt::format("${{{{parent.outputs.{}}}}} is written and not read; bind"
                    " ${{{{parent.jobs.STEP.outputs.NAME}}}} of the step that makes it",
                    target.name));
  }

  void CheckTarget(const StepOutput& target, bool single) {
    const auto source = FindSource(target.step);
    if (!source) return;
    const Step& step = index_.spec().steps[*source];
    const auto output = index_.FindOutput(*source, target.name);
    if (!output) {
      Error(fmt::format("step '{}' has no output '{}'{}",
                        target.step,
                        target.name,
                        problems_->Suggestion(target.name, step.outputs)));
      return;
    }
    CheckType(fmt::format("output '{}' of step '{}'", target.name, target.step),
              step.outputs[*output].type,
              single);
    references_->push_back({step_, position_, *source, std::nullopt});
  }

  void CheckTarget(const StepInput& target, bool single) {
    if (!single) {
      // Chains of joined texts could grow without limit: a few steps would name a terabyte.
      Error(
          fmt::format("${{{{parent.jobs.{}.inputs.{}}}}} cannot be joined with text; use what that"
                      " input is bound to",
                      target.step,
                      target.name));
      return;
    }
    const auto source = FindSource(target.step);
    if (!source) return;
    const Step& step = index_.spec().steps[*source];
    const auto input = index_.FindInput(*source, target.name);
    if (!input) {
      Error(fmt::format("step '{}' has no input '{}'{}",
                        target.step,
                        target.name,
                        problems_->Suggestion(target.name, step.inputs)));
      return;
    }
    CheckType(fmt::format("input '{}' of step '{}'", target.name, target.step),
              step.inputs[*input].type,
              single);
    references_->push_back({step_, position_, *source, *input});
  }

  // The rest cannot come out of a binding (template.h).
  template <class Other>
  void CheckTarget(const Other&, bool) {}

  std::optional<std::uint32_t> FindSource(const std::string& name) {
    const auto source = index_.FindStep(name);
    if (!source) {
      Error(fmt::format(
          "there is no step '{}'{}", name, problems_->Suggestion(name, index_.spec().steps)));
    } else if (*source == step_) {
      Error("the step is bound to itself; bind an input of the pipeline or another step's output");
      return std::nullopt;
    }
    return source;
  }

  // Whether a value of type `from` may go into the input.
  void CheckType(const std::string& name, ValueType from, bool single) {
    const ValueType to = input_.type;
    if (!single) {
      if (!IsPrimitive(from)) {
        Error(
            fmt::format("{} is a file or folder ({}), and cannot be joined with text; bind it"
                        " alone and add to the path in the command",
                        name,
                        NameOf(from)));
      }
      return;
    }
    if (IsPrimitive(from) != IsPrimitive(to)) {
      Error(fmt::format("{} is {}, and the type here is {}", name, NameOf(from), NameOf(to)));
      return;
    }
    const bool fits = from == to || to == ValueType::kString ||
                      (from == ValueType::kInteger && to == ValueType::kNumber);
    if (!fits) {
      Warning(fmt::format("{} is {}, and the type here is {}", name, NameOf(from), NameOf(to)));
    }
  }

  const SpecIndex& index_;
  const std::uint32_t step_;
  const std::uint32_t position_;
  const Input& input_;
  const FedInputs& fed_;
  Problems* problems_;
  std::vector<StepReference>* references_;
};

}  // namespace

void CheckBindings(const SpecIndex& index,
                   std::uint32_t step,
                   Problems* problems,
                   std::vector<StepReference>* references) {
  const FedInputs fed = FedInputsOf(index.spec().steps[step]);
  const std::size_t count = index.spec().steps[step].inputs.size();
  for (std::uint32_t input = 0; input < count; ++input) {
    BindingCheck(index, step, input, fed, problems, references).Run();
  }
}

}  // namespace potok
