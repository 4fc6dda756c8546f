// What a step's command refers to, and whether bash could be given the values there.
#include <map>
#include <set>
#include <tuple>

#include "common/pipeline/command.h"
#include "common/pipeline/validation.h"
#include "fmt/format.h"

namespace potok {

namespace {

// True if the reference names a port of the step.
bool CheckReference(const SpecIndex& index,
                    std::uint32_t number,
                    const CommandReference& reference,
                    const std::string& where,
                    Problems* problems) {
  const Step& step = index.spec().steps[number];
  if (reference.is_output) {
    if (index.FindOutput(number, reference.name)) return true;
    problems->Error(where,
                    fmt::format("the step declares no output '{}'{}",
                                reference.name,
                                problems->Suggestion(reference.name, step.outputs)));
    return false;
  }
  const auto position = index.FindInput(number, reference.name);
  if (!position) {
    problems->Error(where,
                    fmt::format("the step declares no input '{}'{}",
                                reference.name,
                                problems->Suggestion(reference.name, step.inputs)));
    return false;
  }
  const Input& input = step.inputs[*position];
  if (reference.in_optional_block && !input.optional) {
    problems->Error(where,
                    fmt::format("the required input '{}' stands in an optional block $[[...]]; take"
                                " it out, or declare it optional: true",
                                input.name));
  }
  if (!reference.in_optional_block && input.optional) {
    problems->Warning(where,
                      fmt::format("the optional input '{}' stands outside of an optional block, and"
                                  " without a value becomes nothing; write"
                                  " $[[--{} ${{{{inputs.{}}}}}]]",
                                  input.name,
                                  input.name,
                                  input.name));
  }
  return true;
}

// A value that stands for those that are not known yet: a number, which may stand everywhere, or a
// path, which may not.
std::string SampleOf(const Input& input) {
  if (!IsPrimitive(input.type)) return "/data";
  const auto* text = std::get_if<TextValue>(&input.value);
  const bool is_literal = text != nullptr && text->text.find("${{") == std::string::npos;
  return is_literal ? text->text : "1";
}

void CheckRendering(const SpecIndex& index, std::uint32_t number, Problems* problems) {
  const Step& step = index.spec().steps[number];
  std::set<std::string> names;
  std::map<std::string, std::string> inputs;
  std::map<std::string, std::string> outputs;
  for (const Input& input : step.inputs) {
    names.insert(input.name);
    inputs[input.name] = SampleOf(input);
  }
  for (const Output& output : step.outputs) outputs[output.name] = "/output";
  absl::StatusOr<std::string> command = ResolveOptionalBlocks(step.command, names);
  if (!command.ok()) return;  // ReferencesOf has said it
  const absl::StatusOr<ShellCommand> rendered = RenderForShell(*command, inputs, outputs);
  if (rendered.ok()) return;
  problems->Error(index.Where(number, "command"), std::string(rendered.status().message()));
}

// True if all that the template refers to is there.
bool CheckReferences(const SpecIndex& index,
                     std::uint32_t step,
                     const std::string& text,
                     const std::string& where,
                     Problems* problems) {
  const auto references = ReferencesOf(text);
  if (!references.ok()) {
    problems->Error(where, std::string(references.status().message()));
    return false;
  }
  bool all_known = true;
  std::set<std::tuple<bool, bool, std::string>> seen;
  for (const CommandReference& reference : *references) {
    if (!seen.emplace(reference.is_output, reference.in_optional_block, reference.name).second) {
      continue;
    }
    all_known = CheckReference(index, step, reference, where, problems) && all_known;
  }
  return all_known;
}

}  // namespace

void CheckCommand(const SpecIndex& index, std::uint32_t number, Problems* problems) {
  const Step& step = index.spec().steps[number];
  const std::string where = index.Where(number, "command");
  if (step.control != nullptr) {
    if (!step.command.empty()) {
      problems->Error(where, "the step has a command, and something else to do; keep one");
    }
    if (const auto* parallel = std::get_if<Parallel>(&step.control->kind)) {
      CheckReferences(index,
                      number,
                      parallel->program_arguments,
                      index.Where(number, "task.program_arguments"),
                      problems);
    }
    return;
  }
  if (step.command.find_first_not_of(" \t\r\n") == std::string::npos) {
    problems->Error(where, "the step has no command");
    return;
  }
  if (CheckReferences(index, number, step.command, where, problems)) {
    CheckRendering(index, number, problems);
  }
}

}  // namespace potok
