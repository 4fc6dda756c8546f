#include "client/frontend/azureml/do_while.h"

#include <string>
#include <vector>

#include "client/frontend/azureml/port_fields.h"
#include "client/frontend/azureml/scalar.h"
#include "common/pipeline/template.h"
#include "fmt/format.h"

namespace potok::client {

namespace {

constexpr std::int32_t kIterationsDefault = 1000;  // Azure ML: the most there can be

// "x" of ${{parent.jobs.BODY.outputs.x}}, of ${{outputs.x}} and of x.
std::string PortOf(const std::string& text, const std::string& body, const char* kind) {
  const auto parts = ParseTemplate(text, TemplatePlace::kBinding);
  if (!parts.ok() || !IsSingleExpression(*parts)) return text;
  const auto& expression = std::get<Expression>(parts->front());
  const bool wants_output = std::string(kind) == "outputs";
  if (const auto* output = std::get_if<StepOutput>(&expression)) {
    return wants_output && output->step == body ? output->name : text;
  }
  if (const auto* input = std::get_if<StepInput>(&expression)) {
    return !wants_output && input->step == body ? input->name : text;
  }
  if (const auto* own = std::get_if<ParentOutput>(&expression))
    return wants_output ? own->name : text;
  return text;
}

// "true", or the output of the body that is named.
std::string LoopCondition(const YamlNode& scalar,
                          const std::string& body,
                          const Fields& fields,
                          Reading* reading) {
  const std::string text = ConditionText(scalar);
  std::string output = PortOf(text, body, "outputs");
  if (text == "False") {
    reading->reporter.Error(
        scalar.at,
        fmt::format("{}: with the condition false the body runs once, as it does without a "
                    "loop; name the boolean output of '{}' that asks for one more iteration",
                    fields.what(),
                    body));
  } else if (HasExpression(output)) {
    reading->reporter.Error(scalar.at,
                            fmt::format("{}: the condition is an output of the body; write "
                                        "${{{{parent.jobs.{}.outputs.NAME}}}}",
                                        fields.what(),
                                        body));
  } else if (text != "True") {
    return output;
  }
  return "true";
}

// One input, or a list of them.
std::vector<std::string> MappedInputs(const Fields& fields,
                                      const YamlEntry& entry,
                                      Reading* reading) {
  std::vector<std::string> names;
  std::vector<const YamlNode*> values = {entry.value};
  if (entry.value->IsList()) values = entry.value->items;
  for (const YamlNode* value : values) {
    if (value->IsScalar()) {
      names.push_back(value->text);
    } else {
      reading->reporter.Error(
          value->at,
          fmt::format("{}: mapping.{} names an input of the body, or lists some",
                      fields.what(),
                      entry.key));
    }
  }
  return names;
}

}  // namespace

std::string ConditionText(const YamlNode& scalar) {
  return ResolveScalar(scalar).type == ValueType::kBoolean ? ResolveScalar(scalar).text
                                                           : scalar.text;
}

DoWhile ReadDoWhile(const Place& at, const std::string& body, Fields* node, Reading* reading) {
  Fields& fields = *node;
  DoWhile loop;
  if (const YamlNode* condition = fields.Scalar("condition")) {
    loop.condition = LoopCondition(*condition, body, fields, reading);
  } else {
    reading->reporter.Error(
        at,
        fmt::format("{} has no condition; name the boolean output of the body that asks for one "
                    "more iteration",
                    fields.what()));
  }
  if (const YamlNode* mapping = fields.Map("mapping")) {
    for (const YamlEntry& entry : mapping->entries) {
      for (const std::string& input : MappedInputs(fields, entry, reading)) {
        loop.mapping[PortOf(entry.key, body, "outputs")].push_back(PortOf(input, body, "inputs"));
      }
    }
  }
  loop.max_iterations = kIterationsDefault;
  Fields limits(
      fields.Map("limits"), fields.what() + ": limits", &reading->reporter, ResolverOf(reading));
  if (const auto count = limits.Whole("max_iteration_count", 1, kIterationsDefault)) {
    loop.max_iterations = static_cast<std::int32_t>(*count);
  }
  limits.ReportUnknown(Severity::kError);
  return loop;
}

}  // namespace potok::client
