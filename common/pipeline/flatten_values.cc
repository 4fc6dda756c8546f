#include "common/pipeline/flatten_values.h"

#include "common/pipeline/validate.h"

namespace potok {

Binding Replaced(const Binding& binding,
                 const std::function<Replacement(const Expression&)>& replace) {
  const auto* text = std::get_if<TextValue>(&binding);
  if (text == nullptr || text->text.find("${{") == std::string::npos) return binding;
  const auto parts = ParseTemplate(text->text, TemplatePlace::kBinding);
  if (!parts.ok()) return binding;
  std::string joined;
  for (const TemplatePart& part : *parts) {
    if (const auto* literal = std::get_if<std::string>(&part)) {
      joined += *literal;
      continue;
    }
    const auto& expression = std::get<Expression>(part);
    const Replacement replacement = replace(expression);
    if (IsSingleExpression(*parts)) return replacement.value_or(binding);
    if (!replacement) {
      joined += Spelled(expression);
    } else if (const auto* piece = std::get_if<TextValue>(&*replacement)) {
      joined += piece->text;
    }
  }
  return TextValue{joined};
}

Binding AsTyped(const Input& input) {
  const auto* text = std::get_if<TextValue>(&input.value);
  if (text == nullptr || !IsPrimitive(input.type)) return input.value;
  if (text->text.find("${{") != std::string::npos) return input.value;
  const absl::StatusOr<std::string> coerced = Coerce(text->text, input.type);
  return coerced.ok() ? Binding(TextValue{*coerced}) : input.value;
}

std::string WhenLiteral(const std::string& text, ValueType type) {
  if (type == ValueType::kBoolean) return text == "True" ? "true" : "false";
  if (type == ValueType::kNumber || type == ValueType::kInteger) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? "''" : std::string(1, c);
  return quoted + "'";
}

}  // namespace potok
