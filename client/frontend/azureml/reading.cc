#include "client/frontend/azureml/reading.h"

#include <filesystem>
#include <system_error>
#include <variant>

#include "common/pipeline/template.h"
#include "fmt/format.h"

namespace potok::client {

namespace {

std::optional<std::string> Resolve(Reading* reading, const std::string& text, const Place& at) {
  const absl::StatusOr<std::vector<TemplatePart>> parts =
      ParseTemplate(text, TemplatePlace::kBinding);
  if (!parts.ok()) {
    reading->reporter.Error(at, std::string(parts.status().message()));
    return std::nullopt;
  }
  std::string resolved;
  for (const TemplatePart& part : *parts) {
    if (const auto* literal = std::get_if<std::string>(&part)) {
      resolved += *literal;
      continue;
    }
    const auto* input = std::get_if<ParentInput>(&std::get<Expression>(part));
    if (input == nullptr) {
      reading->reporter.Error(
          at,
          fmt::format("'{}' cannot stand here: this is read before anything runs, so only "
                      "${{{{parent.inputs.NAME}}}} is possible",
                      text));
      return std::nullopt;
    }
    const auto value = reading->scope->literals.find(input->name);
    if (value == reading->scope->literals.end()) {
      reading->reporter.Error(
          at,
          fmt::format(
              "the pipeline has no input '{}' with a plain value; give it one under inputs, "
              "or write the value here",
              input->name));
      return std::nullopt;
    }
    resolved += value->second;
  }
  return resolved;
}

}  // namespace

std::size_t Scope::IndexOf(const std::string& node) const {
  std::size_t index = 0;
  while (index < steps.size() && steps[index].name != node) ++index;
  return index;
}

std::string AbsoluteFrom(const Origin& origin, const std::string& path) {
  std::string normal = (std::filesystem::path(origin.folder) / path).lexically_normal().string();
  if (normal.size() > 1 && normal.back() == '/') normal.pop_back();
  return normal;
}

std::string ShownFrom(const Origin& origin, const std::string& path) {
  return (std::filesystem::path(origin.shown) / path).lexically_normal().string();
}

Origin OriginOf(const std::string& path) {
  std::error_code error;
  const std::filesystem::path shown = std::filesystem::path(path).parent_path();
  const std::filesystem::path here = std::filesystem::current_path(error);
  return {(here / shown).lexically_normal().string(), shown.string()};
}

Resolver ResolverOf(Reading* reading) {
  return [reading](const std::string& text, const Place& at) { return Resolve(reading, text, at); };
}

}  // namespace potok::client
