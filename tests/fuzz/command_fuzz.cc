// Templates, optional blocks and commands for the shell: a command, and behind a zero byte the
// value of its inputs and outputs.
#include <map>
#include <set>

#include "agent/domain/simple_command.h"
#include "common/base/overloaded.h"
#include "common/pipeline/command.h"
#include "common/pipeline/template.h"
#include "fmt/format.h"
#include "tests/fuzz/fuzz.h"

namespace potok {
namespace {

using Values = std::map<std::string, std::string>;

std::string Written(const Expression& expression) {
  const std::string inside = std::visit(
      Overloaded{[](const OwnInput& x) { return "inputs." + x.name; },
                 [](const OwnOutput& x) { return "outputs." + x.name; },
                 [](const ParentInput& x) { return "parent.inputs." + x.name; },
                 [](const ParentOutput& x) { return "parent.outputs." + x.name; },
                 [](const StepOutput& x) { return "parent.jobs." + x.step + ".outputs." + x.name; },
                 [](const StepInput& x) { return "parent.jobs." + x.step + ".inputs." + x.name; },
                 [](const Builtin& x) { return x.name; }},
      expression);
  return "${{" + inside + "}}";
}

// Written in the one way for everybody, a template is read as before.
void CheckTemplate(const std::string& text, TemplatePlace place) {
  const auto parts = ParseTemplate(text, place);
  if (!parts.ok()) return;
  std::string written;
  for (const TemplatePart& part : *parts) {
    const auto* literal = std::get_if<std::string>(&part);
    written += literal != nullptr ? *literal : Written(std::get<Expression>(part));
  }
  const auto again = ParseTemplate(written, place);
  POTOK_CHECK(again.ok() && *again == *parts);
}

absl::StatusOr<ShellCommand> Render(const std::string& command,
                                    const std::vector<CommandReference>& references,
                                    const std::string& value) {
  Values inputs;
  Values outputs;
  for (const CommandReference& reference : references) {
    (reference.is_output ? outputs : inputs)[reference.name] = value;
  }
  return RenderForShell(command, inputs, outputs);
}

bool IsWholeNumber(const std::string& value) {
  const std::size_t start = value.starts_with("-") || value.starts_with("+") ? 1 : 0;
  return value.size() > start && value.find_first_not_of("0123456789", start) == std::string::npos;
}

// A value is data: whatever it is, the script is the same.
void CheckRendering(const std::string& command, const std::string& value) {
  const auto references = ReferencesOf(command);
  if (!references.ok()) return;
  const auto rendered = Render(command, *references, value);
  RenderForShell(command, {}, {}).IgnoreError();
  if (!rendered.ok()) return;
  for (const auto& [name, kept] : rendered->environment) POTOK_CHECK(kept == value);
  agent::PlainWords(rendered->script);
  if (IsWholeNumber(value)) return;
  const auto harmless = Render(command, *references, "harmless");
  POTOK_CHECK(harmless.ok() && harmless->script == rendered->script);
  // What computes with a value takes a number, where it took this; all else takes any.
  POTOK_CHECK(Render(command, *references, "7").ok());
}

}  // namespace
}  // namespace potok

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace potok;
  const std::string text = TextOf(data, size);
  const std::size_t zero = text.find('\0');
  const std::string command = text.substr(0, zero);
  const std::string value =
      zero == std::string::npos ? "a[$(b)]`c` \"';#\n" : text.substr(zero + 1);
  for (const TemplatePlace place :
       {TemplatePlace::kBinding, TemplatePlace::kCommand, TemplatePlace::kPath}) {
    CheckTemplate(command, place);
  }
  CheckRendering(command, value);
  for (const std::set<std::string>& with_value : {std::set<std::string>{}, {"x"}, {"x", "y"}}) {
    const auto resolved = ResolveOptionalBlocks(command, with_value);
    if (resolved.ok()) CheckRendering(*resolved, value);
  }
  return 0;
}
