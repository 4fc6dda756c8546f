#include "server/domain/plan_inputs.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "common/base/overloaded.h"
#include "common/base/status_macros.h"
#include "common/pipeline/template.h"
#include "common/pipeline/validate.h"
#include "fmt/format.h"

namespace potok::server {

namespace {

struct Port {
  std::uint32_t step = 0;
  std::uint32_t input = 0;
};

// The position of the input or output of that name.
template <class Ports>
std::optional<std::uint32_t> Find(const Ports& ports, const std::string& name) {
  const auto it =
      std::find_if(ports.begin(), ports.end(), [&](const auto& port) { return port.name == name; });
  if (it == ports.end()) return std::nullopt;
  return static_cast<std::uint32_t>(it - ports.begin());
}

void AppendText(const std::string& text, std::vector<PlanPart>* parts) {
  std::string* last = parts->empty() ? nullptr : std::get_if<std::string>(&parts->back());
  if (last != nullptr) {
    *last += text;
  } else {
    parts->push_back(text);
  }
}

// Inputs may refer to other steps' inputs, in chains as long as the pipeline: hence an explicit
// stack and not recursion.
class Resolver {
 public:
  explicit Resolver(SegmentDraft* plan) : plan_(*plan) {
    for (const Input& input : plan_.head.spec.inputs) parent_inputs_.emplace(input.name, &input);
    std::size_t inputs = 0;
    for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
      first_of_.push_back(inputs);
      inputs += plan_.written()[i].inputs.size();
      plan_.steps[i].inputs.resize(plan_.written()[i].inputs.size());
    }
    progress_.resize(inputs);
  }

  absl::Status Resolve(const Port& wanted) {
    std::vector<Port> stack = {wanted};
    while (!stack.empty()) POTOK_RETURN_IF_ERROR(Advance(&stack));
    return absl::OkStatus();
  }

 private:
  enum class Stage { kNew, kOpen, kDone };
  struct Progress {
    Stage stage = Stage::kNew;
    std::vector<TemplatePart> parts;
  };

  Progress& ProgressOf(const Port& port) { return progress_[first_of_[port.step] + port.input]; }
  const Input& InputOf(const Port& port) const {
    return plan_.written()[port.step].inputs[port.input];
  }
  PlanInput& ValueOf(const Port& port) { return plan_.steps[port.step].inputs[port.input]; }

  absl::Status Error(const Port& port, const std::string& message) const {
    return absl::InvalidArgumentError(fmt::format(
        "jobs.{}.inputs.{}: {}", plan_.written()[port.step].name, InputOf(port).name, message));
  }

  // Resolves the last of the stack and takes it off, or puts on it what has to be resolved before.
  absl::Status Advance(std::vector<Port>* stack) {
    const Port port = stack->back();
    Progress& progress = ProgressOf(port);
    if (progress.stage != Stage::kDone) {
      POTOK_RETURN_IF_ERROR(Open(port));
      const std::size_t before = stack->size();
      POTOK_RETURN_IF_ERROR(PushUnresolved(port, stack));
      if (stack->size() > before) return absl::OkStatus();
      POTOK_RETURN_IF_ERROR(Fill(port));
      progress = {Stage::kDone, {}};
    }
    stack->pop_back();
    return absl::OkStatus();
  }

  absl::Status Open(const Port& port) {
    Progress& progress = ProgressOf(port);
    if (progress.stage != Stage::kNew) return absl::OkStatus();
    progress.stage = Stage::kOpen;
    const auto* text = std::get_if<TextValue>(&InputOf(port).value);
    if (text == nullptr) return absl::OkStatus();
    auto parts = ParseTemplate(text->text, TemplatePlace::kBinding);
    if (!parts.ok()) return Error(port, std::string(parts.status().message()));
    progress.parts = *std::move(parts);
    return absl::OkStatus();
  }

  absl::StatusOr<Port> FindInput(const Port& from, const StepInput& reference) const {
    const auto step = plan_.index_of.find(reference.step);
    if (step == plan_.index_of.end()) {
      return Error(from, fmt::format("there is no step '{}'", reference.step));
    }
    const auto input = Find(plan_.written()[step->second].inputs, reference.name);
    if (!input.has_value()) {
      return Error(from,
                   fmt::format("step '{}' has no input '{}'", reference.step, reference.name));
    }
    return Port{step->second, *input};
  }

  absl::Status PushUnresolved(const Port& port, std::vector<Port>* stack) {
    for (const TemplatePart& part : ProgressOf(port).parts) {
      const auto* expression = std::get_if<Expression>(&part);
      if (expression == nullptr) continue;
      const auto* reference = std::get_if<StepInput>(expression);
      if (reference == nullptr) continue;
      POTOK_ASSIGN_OR_RETURN(const Port target, FindInput(port, *reference));
      if (ProgressOf(target).stage == Stage::kOpen) {
        return Error(port, "its value refers to itself, by way of other inputs");
      }
      if (ProgressOf(target).stage == Stage::kNew) stack->push_back(target);
    }
    return absl::OkStatus();
  }

  absl::Status Fill(const Port& port) {
    PlanInput& value = ValueOf(port);
    return std::visit(Overloaded{
                          [](const std::monostate&) { return absl::OkStatus(); },
                          [&](const Artifact& artifact) {
                            value.value = artifact;
                            return absl::OkStatus();
                          },
                          [&](const UriValue& uri) {
                            value.value = std::vector<PlanPart>{uri.uri};
                            return absl::OkStatus();
                          },
                          [&](const LocalPath& local) { return NotUploaded(port, local); },
                          [&](const TextValue&) { return FillText(port, &value); },
                      },
                      InputOf(port).value);
  }

  absl::Status NotUploaded(const Port& port, const LocalPath& local) const {
    return Error(port,
                 fmt::format("'{}' was not uploaded with the pipeline; submit it with the potok "
                             "command line, which uploads it",
                             local.path));
  }

  absl::Status FillText(const Port& port, PlanInput* value) {
    const std::vector<TemplatePart>& parts = ProgressOf(port).parts;
    if (IsSingleExpression(parts)) {
      POTOK_ASSIGN_OR_RETURN(*value, Evaluate(port, std::get<Expression>(parts[0])));
      return absl::OkStatus();
    }
    std::vector<PlanPart> joined;
    AppendText("", &joined);
    for (const TemplatePart& part : parts) {
      if (const auto* text = std::get_if<std::string>(&part)) {
        AppendText(*text, &joined);
        continue;
      }
      POTOK_ASSIGN_OR_RETURN(const PlanInput piece, Evaluate(port, std::get<Expression>(part)));
      if (std::holds_alternative<Artifact>(piece.value)) {
        return Error(port, "files cannot be joined with text; bind the input to the files alone");
      }
      const auto* pieces = std::get_if<std::vector<PlanPart>>(&piece.value);
      if (pieces == nullptr) continue;  // no value: nothing is added
      for (const PlanPart& inner : *pieces) {
        if (const auto* text = std::get_if<std::string>(&inner)) {
          AppendText(*text, &joined);
        } else {
          joined.push_back(inner);
        }
      }
    }
    value->value = std::move(joined);
    return absl::OkStatus();
  }

  absl::StatusOr<PlanInput> Evaluate(const Port& port, const Expression& expression) {
    using Result = absl::StatusOr<PlanInput>;
    return std::visit(Overloaded{
                          [&](const ParentInput& e) -> Result { return OfParent(port, e); },
                          [&](const StepOutput& e) -> Result { return OfOutput(port, e); },
                          [&](const StepInput& e) -> Result {
                            POTOK_ASSIGN_OR_RETURN(const Port target, FindInput(port, e));
                            return ValueOf(target);
                          },
                          [&](const auto& e) -> Result {
                            return Error(
                                port, fmt::format("'{}' cannot be the value of an input", e.name));
                          },
                      },
                      expression);
  }

  absl::StatusOr<PlanInput> OfParent(const Port& port, const ParentInput& reference) const {
    const auto it = parent_inputs_.find(reference.name);
    if (it == parent_inputs_.end()) {
      return Error(port, fmt::format("the pipeline has no input '{}'", reference.name));
    }
    const Input& input = *it->second;
    PlanInput value;
    if (const auto* artifact = std::get_if<Artifact>(&input.value)) {
      value.value = *artifact;
    } else if (const auto* uri = std::get_if<UriValue>(&input.value)) {
      value.value = std::vector<PlanPart>{uri->uri};
    } else if (const auto* text = std::get_if<TextValue>(&input.value)) {
      // As the pipeline declares it: what is 10.0 for a file is 10 for an integer.
      const auto coerced = Coerce(text->text, input.type);
      const bool usable = IsPrimitive(input.type) && coerced.ok();
      value.value = std::vector<PlanPart>{usable ? *coerced : text->text};
    } else if (const auto* local = std::get_if<LocalPath>(&input.value)) {
      return NotUploaded(port, *local);
    }
    return value;
  }

  absl::StatusOr<PlanInput> OfOutput(const Port& port, const StepOutput& reference) const {
    const auto step = plan_.index_of.find(reference.step);
    if (step == plan_.index_of.end()) {
      return Error(port, fmt::format("there is no step '{}'", reference.step));
    }
    const auto output = Find(plan_.written()[step->second].outputs, reference.name);
    if (!output.has_value()) {
      return Error(port,
                   fmt::format("step '{}' has no output '{}'", reference.step, reference.name));
    }
    return PlanInput{std::vector<PlanPart>{UpstreamOutput{step->second, *output}}};
  }

  SegmentDraft& plan_;
  std::map<std::string, const Input*> parent_inputs_;
  std::vector<std::size_t> first_of_;  // of each step: where its inputs begin in
  std::vector<Progress> progress_;
};

}  // namespace

absl::Status ResolveBindings(SegmentDraft* draft) {
  Resolver resolver(draft);
  for (std::uint32_t step = 0; step < draft->steps.size(); ++step) {
    const auto inputs = static_cast<std::uint32_t>(draft->steps[step].inputs.size());
    for (std::uint32_t input = 0; input < inputs; ++input) {
      POTOK_RETURN_IF_ERROR(resolver.Resolve({step, input}));
    }
  }
  return absl::OkStatus();
}

}  // namespace potok::server
