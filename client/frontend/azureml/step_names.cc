#include "client/frontend/azureml/step_names.h"

#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "common/pipeline/template.h"
#include "common/pipeline/when.h"

namespace potok::client {

namespace {

using Rename = std::function<std::string(const std::string&, const std::string&)>;

void RenameInInput(const Rename& rename, Input* input) {
  auto* text = std::get_if<TextValue>(&input->value);
  if (text == nullptr || !absl::StrContains(text->text, "jobs.")) return;
  const auto parts = ParseTemplate(text->text, TemplatePlace::kBinding);
  if (!parts.ok()) return;
  const std::string part = "inputs." + input->name;
  std::string renamed;
  for (const TemplatePart& piece : *parts) {
    if (const auto* literal = std::get_if<std::string>(&piece)) {
      renamed += *literal;
      continue;
    }
    Expression expression = std::get<Expression>(piece);
    if (auto* output = std::get_if<StepOutput>(&expression)) {
      output->step = rename(output->step, part);
    } else if (auto* of = std::get_if<StepInput>(&expression)) {
      of->step = rename(of->step, part);
    }
    renamed += Spelled(expression);
  }
  text->text = renamed;
}

std::string RenamedWhen(const Rename& rename, const std::string& text) {
  const auto when = When::Parse(text);
  if (!when.ok()) return text;
  return when->Rewritten([&](const WhenReference& reference) -> std::string {
    if (reference.step.empty()) return reference.text;
    const std::string step = rename(reference.step, "when");
    switch (reference.kind) {
      case WhenReference::Kind::kState:
        return reference.function + "(" + step + ")";
      case WhenReference::Kind::kStatus:
        return "jobs." + step + ".status";
      default:
        return "jobs." + step + ".outputs." + reference.port;
    }
  });
}

}  // namespace

void RenameSteps(const Rename& rename, Step* step) {
  for (Input& input : step->inputs) RenameInInput(rename, &input);
  for (std::string& name : step->depends_on) name = rename(name, "depends_on");
  if (!step->when.empty()) step->when = RenamedWhen(rename, step->when);
}

std::string StepNameOf(const std::string& text) {
  absl::string_view name = absl::StripAsciiWhitespace(text);
  if (absl::ConsumePrefix(&name, "${{") && absl::ConsumeSuffix(&name, "}}")) {
    name = absl::StripAsciiWhitespace(name);
    absl::ConsumePrefix(&name, "parent.");
    absl::ConsumePrefix(&name, "jobs.");
  }
  return std::string(name);
}

}  // namespace potok::client
