// Text with ${{...}} expressions (reference: Azure ML's \$\{\{\s*(\S*?)\s*\}\}). Pure.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"

namespace potok {

// ${{inputs.NAME}}: the step's own input. Names may hold dots.
struct OwnInput {
  std::string name;
  bool operator==(const OwnInput&) const = default;
};
// ${{outputs.NAME}}
struct OwnOutput {
  std::string name;
  bool operator==(const OwnOutput&) const = default;
};
// ${{parent.inputs.NAME}}
struct ParentInput {
  std::string name;
  bool operator==(const ParentInput&) const = default;
};
// ${{parent.outputs.NAME}}
struct ParentOutput {
  std::string name;
  bool operator==(const ParentOutput&) const = default;
};
// ${{parent.jobs.STEP.outputs.NAME}}
struct StepOutput {
  std::string step;
  std::string name;
  bool operator==(const StepOutput&) const = default;
};
// ${{parent.jobs.STEP.inputs.NAME}}
struct StepInput {
  std::string step;
  std::string name;
  bool operator==(const StepInput&) const = default;
};
// ${{name}}, ${{output_name}}, ${{default_datastore}}
struct Builtin {
  std::string name;
  bool operator==(const Builtin&) const = default;
};
using Expression =
    std::variant<OwnInput, OwnOutput, ParentInput, ParentOutput, StepOutput, StepInput, Builtin>;

// As it is written in a binding or path: "${{parent.inputs.lr}}".
std::string Spelled(const Expression& expression);

// A piece of a template: literal text, or an expression.
using TemplatePart = std::variant<std::string, Expression>;

// Where `ParseTemplate` reads: the old spellings ${{inputs.X}}, ${{outputs.X}} and
// ${{jobs.N.outputs.Y}} in bindings mean ParentInput, ParentOutput and StepOutput; in a command
// ${{inputs.X}} is the step's own.
enum class TemplatePlace { kBinding, kCommand, kPath };

// Cuts `text` into parts; adjacent literals are joined, an empty text has no parts.
// INVALID_ARGUMENT for an expression that is none of the above or that is not closed; the message
// quotes it and lists what is allowed at `place`.
absl::StatusOr<std::vector<TemplatePart>> ParseTemplate(const std::string& text,
                                                        TemplatePlace place);

// True if the template is exactly one expression and nothing else.
bool IsSingleExpression(const std::vector<TemplatePart>& parts);

}  // namespace potok
