#include "client/frontend/azureml/nested.h"

#include <algorithm>
#include <memory>

#include "client/frontend/azureml/inline_pipeline.h"
#include "client/frontend/azureml/reference.h"
#include "client/frontend/azureml/step_reader.h"
#include "client/frontend/azureml/type_inference.h"
#include "common/pipeline/control.h"
#include "common/pipeline/template.h"
#include "fmt/format.h"

namespace potok::client {

namespace {

// Far more than anyone nests; it ends what names itself in ways that are not seen.
constexpr std::size_t kNestedMax = 20;

// The scope of another pipeline while it lives.
class ScopeChange {
 public:
  ScopeChange(Scope* inner, Reading* reading) : reading_(reading), outer_(reading->scope) {
    reading->scope = inner;
  }
  ScopeChange(const ScopeChange&) = delete;
  ScopeChange& operator=(const ScopeChange&) = delete;
  ~ScopeChange() { reading_->scope = outer_; }

 private:
  Reading* reading_;
  Scope* outer_;
};

// The text with all its references replaced, or nothing if one has no plain value.
std::optional<std::string> LiteralOf(const std::string& text, const Scope* around) {
  if (text.find("${{") == std::string::npos) return text;
  const auto parts = ParseTemplate(text, TemplatePlace::kBinding);
  if (!parts.ok() || around == nullptr) return std::nullopt;
  std::string literal;
  for (const TemplatePart& part : *parts) {
    if (const auto* piece = std::get_if<std::string>(&part)) {
      literal += *piece;
      continue;
    }
    const auto* parent = std::get_if<ParentInput>(&std::get<Expression>(part));
    const auto value =
        parent == nullptr ? around->literals.end() : around->literals.find(parent->name);
    if (value == around->literals.end()) return std::nullopt;
    literal += value->second;
  }
  return literal;
}

// "a.yml -> b.yml -> a.yml" if the component is being read already.
std::string Circle(const ComponentUse& use, const Scope& scope) {
  const auto& open = scope.open_components;
  auto first = std::ranges::find(open, use.source.map, &OpenComponent::map);
  if (first == open.end()) return "";
  std::string chain;
  for (; first != open.end(); ++first) chain += first->shown + " -> ";
  return chain + use.source.shown;
}

bool ReadNestedJobs(
    const YamlNode* jobs, const Origin& origin, Scope* inner, Reading* reading, Step* step) {
  const ScopeChange change(inner, reading);
  const bool is_whole = ReadSteps(*jobs, origin, &step->inputs, &step->outputs, reading);
  auto control = std::make_shared<Control>();
  control->kind = Nested{};
  control->body = std::move(inner->steps);
  step->control = std::move(control);
  return is_whole;
}

}  // namespace

std::map<std::string, std::string> LiteralsOf(const std::vector<Input>& inputs,
                                              const Scope* around) {
  std::map<std::string, std::string> literals;
  for (const Input& input : inputs) {
    const auto* text = std::get_if<TextValue>(&input.value);
    if (text == nullptr) continue;
    if (const auto literal = LiteralOf(text->text, around)) literals[input.name] = *literal;
  }
  return literals;
}

bool ReadPipelineHead(const ComponentUse& use, Reading* reading, Step* step) {
  Fields fields(use.source.map, fmt::format("component {}", use.source.shown), &reading->reporter);
  if (fields.map() == nullptr) return false;
  ReadComponentHead(&fields, use.source, step);
  ReadDeclaredPorts(&fields, use, reading, step);
  return true;
}

bool ReadPipelineBody(const ComponentUse& use,
                      const std::string& name,
                      Reading* reading,
                      Step* step) {
  Reporter* reporter = &reading->reporter;
  const Scope& outer = *reading->scope;
  if (const std::string circle = Circle(use, outer); !circle.empty()) {
    reporter->Error(use.at, fmt::format("{}: the component holds itself: {}", use.what, circle));
    return false;
  }
  if (outer.open_components.size() >= kNestedMax) {
    reporter->Error(
        use.at,
        fmt::format(
            "{}: pipelines are nested more than {} levels deep; nest fewer", use.what, kNestedMax));
    return false;
  }
  Fields fields(use.source.map, fmt::format("component {}", use.source.shown), reporter);
  const YamlNode* jobs = fields.Map("jobs");
  if (jobs == nullptr) {
    if (fields.Value("jobs") == nullptr) {
      reporter->Error(use.source.map->at,
                      fmt::format("{} has no jobs; write its nodes there", fields.what()));
    }
    return false;
  }
  Scope inner;
  inner.owner = name;
  inner.literals = LiteralsOf(step->inputs, &outer);
  inner.open_components = outer.open_components;
  inner.open_components.push_back({use.source.map, use.source.shown});
  const bool is_whole = ReadNestedJobs(jobs, use.source.origin, &inner, reading, step);
  {
    // Its settings are for its own steps.
    const ScopeChange change(&inner, reading);
    Fields settings(
        fields.Map("settings"), fields.what() + ": settings", reporter, ResolverOf(reading));
    step->compute = ResourceName(settings.Text("default_compute"));
    for (const char* key : {"on_init", "on_finalize"}) {
      if (settings.Value(key) == nullptr) continue;
      reporter->Error(
          settings.At(key),
          fmt::format(
              "{}: {} is for the whole job; write it in the job's settings", fields.what(), key));
    }
  }
  for (const char* key : {"name",
                          "version",
                          "display_name",
                          "description",
                          "tags",
                          "inputs",
                          "outputs",
                          "compute",
                          "experiment_name"}) {
    fields.Ignore({key});
  }
  IgnoreComponentKeys(&fields);
  fields.ReportUnknown(Severity::kWarning);
  return is_whole;
}

bool ReadInlinePipeline(Fields* fields,
                        const PortContext& context,
                        const std::string& name,
                        Reading* reading,
                        Step* step) {
  const YamlNode* jobs = fields->Map("jobs");
  GivePorts(fields, context, step);
  if (jobs == nullptr) {
    if (fields->Value("jobs") == nullptr) {
      reading->reporter.Error(
          fields->map()->at,
          fmt::format("{} has neither a component nor jobs; write one of them", fields->what()));
    }
    return false;
  }
  Scope& outer = *reading->scope;
  TypeGivenInputs(&outer, step);
  Scope inner;
  inner.owner = name;
  inner.literals = LiteralsOf(step->inputs, &outer);
  inner.open_components = outer.open_components;
  // What the node leaves open is up to its steps.
  const std::size_t index = outer.steps.size();
  for (const Input& input : step->inputs) {
    if (outer.untyped_inputs.contains({index, input.name})) {
      inner.untyped_pipeline_inputs.insert(input.name);
    }
  }
  for (const Output& output : step->outputs) {
    if (outer.untyped_outputs.contains({index, output.name})) {
      inner.untyped_pipeline_outputs.insert(output.name);
    }
  }
  return ReadNestedJobs(jobs, context.origin, &inner, reading, step);
}

}  // namespace potok::client
