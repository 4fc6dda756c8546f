// What a step's `when` names, and whether it can hold.
#include "common/pipeline/validation.h"
#include "common/pipeline/when.h"
#include "fmt/format.h"

namespace potok {

namespace {

class WhenCheck {
 public:
  WhenCheck(const SpecIndex& index,
            std::uint32_t step,
            Problems* problems,
            std::vector<StepReference>* references)
      : index_(index), step_(step), problems_(problems), references_(references) {}

  void Run() {
    const auto when = When::Parse(index_.spec().steps[step_].when);
    if (!when.ok()) {
      Error(std::string(when.status().message()));
      return;
    }
    bool all_known = true;
    for (const WhenReference& reference : when->references()) {
      all_known = CheckWhenReference(reference) && all_known;
    }
    if (!all_known) return;
    const absl::Status status =
        when->CheckTypes([this](const WhenReference& reference) { return TypeOf(reference); });
    if (!status.ok()) Error(std::string(status.message()));
  }

 private:
  void Error(const std::string& message) { problems_->Error(index_.Where(step_, "when"), message); }

  std::optional<ValueType> TypeOf(const WhenReference& reference) const {
    if (reference.kind == WhenReference::Kind::kInput) {
      const Input* input = index_.FindPipelineInput(reference.port);
      return input == nullptr ? std::nullopt : std::optional(input->type);
    }
    const auto step = index_.FindStep(reference.step);
    const auto output = step ? index_.FindOutput(*step, reference.port) : std::nullopt;
    if (!output) return std::nullopt;
    return index_.spec().steps[*step].outputs[*output].type;
  }

  bool CheckWhenReference(const WhenReference& reference) {
    if (reference.kind == WhenReference::Kind::kInput) {
      if (index_.FindPipelineInput(reference.port) == nullptr) {
        Error(fmt::format("{} has no input '{}'{}",
                          index_.spec().Title(),
                          reference.port,
                          problems_->Suggestion(reference.port, index_.spec().inputs)));
        return false;
      }
      return CheckPrimitive(reference, fmt::format("input '{}'", reference.port));
    }
    const auto source = index_.FindStep(reference.step);
    if (!source) {
      Error(fmt::format("there is no step '{}'{}",
                        reference.step,
                        problems_->Suggestion(reference.step, index_.spec().steps)));
      return false;
    }
    if (*source == step_) {
      Error("the step looks at itself; look at steps that run before it");
      return false;
    }
    references_->push_back({step_, std::nullopt, *source, std::nullopt});
    const Step& step = index_.spec().steps[*source];
    const bool is_nested =
        step.control != nullptr && std::holds_alternative<Nested>(step.control->kind);
    if (reference.kind == WhenReference::Kind::kStatus && is_nested) {
      Error(
          fmt::format("'{0}' is a pipeline and has no status of its own; write succeeded({0}) or "
                      "failed({0})",
                      step.name));
      return false;
    }
    if (reference.kind != WhenReference::Kind::kOutput) return true;
    if (!index_.FindOutput(*source, reference.port)) {
      Error(fmt::format("step '{}' has no output '{}'{}",
                        reference.step,
                        reference.port,
                        problems_->Suggestion(reference.port, step.outputs)));
      return false;
    }
    return CheckPrimitive(reference,
                          fmt::format("output '{}' of step '{}'", reference.port, reference.step));
  }

  bool CheckPrimitive(const WhenReference& reference, const std::string& name) {
    const std::optional<ValueType> type = TypeOf(reference);
    if (!type || IsPrimitive(*type)) return true;
    Error(fmt::format(
        "{} is a file or folder ({}), and a condition looks at values only", name, NameOf(*type)));
    return false;
  }

  const SpecIndex& index_;
  const std::uint32_t step_;
  Problems* problems_;
  std::vector<StepReference>* references_;
};

}  // namespace

void CheckWhen(const SpecIndex& index,
               std::uint32_t step,
               Problems* problems,
               std::vector<StepReference>* references) {
  if (index.spec().steps[step].when.empty()) return;
  WhenCheck(index, step, problems, references).Run();
}

}  // namespace potok
