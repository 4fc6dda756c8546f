#include "common/pipeline/template.h"

#include <algorithm>
#include <optional>

#include "absl/status/status.h"
#include "common/base/overloaded.h"
#include "common/base/status_macros.h"
#include "common/pipeline/names.h"
#include "fmt/format.h"

namespace potok {

namespace {

constexpr const char* kOpen = "${{";
constexpr const char* kClose = "}}";
constexpr const char* kBlanks = " \t\r\n\f\v";

const char* AllowedAt(TemplatePlace place) {
  switch (place) {
    case TemplatePlace::kCommand:
      return "a command may hold ${{inputs.NAME}} and ${{outputs.NAME}} of its own step";
    case TemplatePlace::kBinding:
      return "an input may be bound to ${{parent.inputs.NAME}} or "
             "${{parent.jobs.STEP.outputs.NAME}}, an output to ${{parent.outputs.NAME}}";
    case TemplatePlace::kPath:
      return "a path may hold ${{name}}, ${{output_name}} and ${{default_datastore}}";
  }
  return "";
}

// The rest of `text` after `prefix`, if it starts so.
std::optional<std::string> After(const std::string& prefix, const std::string& text) {
  if (text.compare(0, prefix.size(), prefix) != 0) return std::nullopt;
  return text.substr(prefix.size());
}

// jobs.STEP.outputs.NAME and jobs.STEP.inputs.NAME. A step's name has no dot, a port's may.
std::optional<Expression> ParseStepPort(const std::string& text) {
  const std::optional<std::string> rest = After("jobs.", text);
  if (!rest) return std::nullopt;
  const std::size_t dot = rest->find('.');
  if (dot == std::string::npos || dot == 0) return std::nullopt;
  const std::string step = rest->substr(0, dot);
  const std::string port = rest->substr(dot + 1);
  if (auto name = After("outputs.", port); name && IsPortName(*name)) {
    return StepOutput{step, *name};
  }
  if (auto name = After("inputs.", port); name && IsPortName(*name)) return StepInput{step, *name};
  return std::nullopt;
}

std::optional<Expression> ParseBinding(const std::string& text) {
  // The old spellings lack "parent."; they mean the same.
  const std::string scoped = After("parent.", text).value_or(text);
  if (auto name = After("inputs.", scoped); name && IsPortName(*name)) return ParentInput{*name};
  if (auto name = After("outputs.", scoped); name && IsPortName(*name)) return ParentOutput{*name};
  return ParseStepPort(scoped);
}

std::optional<Expression> ParseInCommand(const std::string& text) {
  if (auto name = After("inputs.", text); name && IsPortName(*name)) return OwnInput{*name};
  if (auto name = After("outputs.", text); name && IsPortName(*name)) return OwnOutput{*name};
  return std::nullopt;
}

std::optional<Expression> ParseInPath(const std::string& text) {
  if (text == "name" || text == "output_name" || text == "default_datastore") return Builtin{text};
  return std::nullopt;
}

std::optional<Expression> ParseExpression(const std::string& text, TemplatePlace place) {
  switch (place) {
    case TemplatePlace::kBinding:
      return ParseBinding(text);
    case TemplatePlace::kCommand:
      return ParseInCommand(text);
    case TemplatePlace::kPath:
      return ParseInPath(text);
  }
  return std::nullopt;
}

std::string WithoutBlanks(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

}  // namespace

std::string Spelled(const Expression& expression) {
  const std::string inner = std::visit(
      Overloaded{[](const OwnInput& e) { return "inputs." + e.name; },
                 [](const OwnOutput& e) { return "outputs." + e.name; },
                 [](const ParentInput& e) { return "parent.inputs." + e.name; },
                 [](const ParentOutput& e) { return "parent.outputs." + e.name; },
                 [](const StepOutput& e) { return "parent.jobs." + e.step + ".outputs." + e.name; },
                 [](const StepInput& e) { return "parent.jobs." + e.step + ".inputs." + e.name; },
                 [](const Builtin& e) { return e.name; }},
      expression);
  return "${{" + inner + "}}";
}

absl::StatusOr<std::vector<TemplatePart>> ParseTemplate(const std::string& text,
                                                        TemplatePlace place) {
  std::vector<TemplatePart> parts;
  std::size_t position = 0;
  while (position < text.size()) {
    const std::size_t open = text.find(kOpen, position);
    if (open != position) parts.emplace_back(text.substr(position, open - position));
    if (open == std::string::npos) break;
    const std::size_t close = text.find(kClose, open);
    if (close == std::string::npos) {
      return absl::InvalidArgumentError(
          fmt::format("'{}' opens an expression that is not closed with }}}}; {}",
                      text.substr(open, 40),
                      AllowedAt(place)));
    }
    const std::string spelling = text.substr(open, close + 2 - open);
    const auto expression =
        ParseExpression(WithoutBlanks(text.substr(open + 3, close - open - 3)), place);
    if (!expression) {
      return absl::InvalidArgumentError(
          fmt::format("{} is not understood here; {}", spelling, AllowedAt(place)));
    }
    parts.emplace_back(*expression);
    position = close + 2;
  }
  return parts;
}

bool IsSingleExpression(const std::vector<TemplatePart>& parts) {
  return parts.size() == 1 && std::holds_alternative<Expression>(parts.front());
}

}  // namespace potok
