#include "client/frontend/azureml/step_reader.h"

#include <algorithm>

#include "client/frontend/azureml/component.h"
#include "client/frontend/azureml/definition.h"
#include "client/frontend/azureml/port.h"
#include "client/frontend/azureml/reference.h"
#include "common/pipeline/suggest.h"
#include "fmt/format.h"

namespace potok::client {

namespace {

// Keys of dumped nodes that say what happened to them, and such that mean nothing here.
const std::vector<std::string>& IgnoredKeys() {
  static const std::vector<std::string> keys = {"$schema",
                                                "type",
                                                "id",
                                                "status",
                                                "creation_context",
                                                "comment",
                                                "properties",
                                                "parent_job_name",
                                                "name"};
  return keys;
}

std::vector<std::string> NamesOf(const auto& ports) {
  std::vector<std::string> names;
  names.reserve(ports.size());
  for (const auto& port : ports) names.push_back(port.name);
  return names;
}

// One node, with what its parts have in common.
class NodeReader {
 public:
  NodeReader(const YamlEntry& entry, const Origin& origin, Reading* reading)
      : entry_(entry),
        reading_(reading),
        fields_(entry.value,
                fmt::format("node '{}'", entry.key),
                &reading->reporter,
                ResolverOf(reading)),
        context_{reading,
                 origin,
                 fields_.what(),
                 "jobs." + entry.key + ".",
                 IsInline() ? Severity::kError : Severity::kWarning,
                 true} {}

  // Adds the step to the spec, unless it cannot be one.
  void Read() {
    if (!ReadDefinition()) {
      reading_->is_whole = false;
      return;
    }
    step_.name = entry_.key;
    ReadCommon();
    reading_->sources.AddStep(&entry_, component_);
    reading_->spec.steps.push_back(std::move(step_));
  }

 private:
  bool IsInline() const { return entry_.value->Find("component") == nullptr; }
  std::size_t index() const { return reading_->spec.steps.size(); }

  bool ReadDefinition() {
    const std::string type = fields_.Word("type");
    if (const std::string refusal = Refusal(type); !refusal.empty()) {
      reading_->reporter.Error(
          fields_.At("type"), fmt::format("{} is of type '{}'; {}", fields_.what(), type, refusal));
      return false;
    }
    if (entry_.value->IsNull()) {
      reading_->reporter.Error(
          entry_.at, fmt::format("{} is empty; write a command or a component", fields_.what()));
    }
    if (fields_.map() == nullptr) return false;
    if (const YamlNode* component = fields_.Value("component")) return ReadReference(*component);
    ReadInline();
    return true;
  }

  void ReadInline() {
    ReadCommand(&fields_, context_.origin, reading_, &step_);
    if (fields_.Value("command") == nullptr) {
      reading_->reporter.Error(
          entry_.at, fmt::format("{} has no command; write what it runs", fields_.what()));
    }
    if (step_.command.empty()) reading_->broken.insert(context_.where + "command");
    if (const YamlNode* inputs = fields_.Map("inputs")) {
      for (const YamlEntry& entry : inputs->entries) {
        GivenInput given = ReadGivenInput(entry, nullptr, context_);
        if (!given.is_typed) reading_->untyped_inputs.insert({index(), entry.key});
        step_.inputs.push_back(std::move(given.input));
      }
    }
    if (const YamlNode* outputs = fields_.Map("outputs")) {
      for (const YamlEntry& entry : outputs->entries) {
        GivenOutput given = ReadGivenOutput(entry, nullptr, context_);
        if (!given.is_typed) reading_->untyped_outputs.insert({index(), entry.key});
        step_.outputs.push_back(std::move(given.output));
      }
    }
  }

  bool ReadReference(const YamlNode& value) {
    const std::size_t errors_before = reading_->reporter.errors();
    std::optional<Component> component =
        ReadComponent(value, context_.origin, fields_.what(), reading_);
    if (!component) return false;
    if (reading_->reporter.errors() != errors_before) {
      reading_->broken.insert("jobs." + entry_.key);
    }
    step_ = std::move(component->step);
    component_ = component->source;
    BindInputs();
    BindOutputs();
    return true;
  }

  void BindInputs() {
    const YamlNode* inputs = fields_.Map("inputs");
    if (inputs == nullptr) return;
    for (const YamlEntry& entry : inputs->entries) {
      const auto declared = std::ranges::find(step_.inputs, entry.key, &Input::name);
      if (declared == step_.inputs.end()) {
        ReportUndeclared("input", entry, NamesOf(step_.inputs));
        continue;
      }
      *declared = ReadGivenInput(entry, &*declared, context_).input;
    }
  }

  void BindOutputs() {
    const YamlNode* outputs = fields_.Map("outputs");
    if (outputs == nullptr) return;
    for (const YamlEntry& entry : outputs->entries) {
      const auto declared = std::ranges::find(step_.outputs, entry.key, &Output::name);
      if (declared == step_.outputs.end()) {
        ReportUndeclared("output", entry, NamesOf(step_.outputs));
        continue;
      }
      *declared = ReadGivenOutput(entry, &*declared, context_).output;
    }
  }

  void ReportUndeclared(const char* port,
                        const YamlEntry& entry,
                        const std::vector<std::string>& declared) {
    reading_->reporter.Error(entry.at,
                             fmt::format("{}: its component has no {} '{}'{}",
                                         fields_.what(),
                                         port,
                                         entry.key,
                                         SuggestionFor(entry.key, declared)));
  }

  void ReadCommon() {
    ReadRunSettings(&fields_, context_.origin, context_.unknown, reading_, &step_);
    step_.compute = ResourceName(fields_.Text("compute"));
    if (const std::string text = fields_.RawText("display_name"); !text.empty()) {
      step_.display_name = text;
    }
    if (const std::string text = fields_.RawText("description"); !text.empty()) {
      step_.description = text;
    }
    for (auto& [key, tag] : fields_.Texts("tags", Fields::Strictness::kTextsOnly)) {
      step_.tags[key] = tag;
    }
    step_.depends_on = fields_.TextList("depends_on");
    fields_.Map("services");
    fields_.Map("identity");
    fields_.Map("queue_settings");
    fields_.Ignore(IgnoredKeys());
    if (const YamlEntry* flag = fields_.map()->Find("is_deterministic")) {
      fields_.Ignore({flag->key});
      const std::string rule = fields_.what() + ": is_deterministic belongs to the component; ";
      if (IsInline()) {
        reading_->reporter.Error(
            flag->at, rule + "write component: {command: ..., is_deterministic: ...} in this node");
      } else {
        reading_->reporter.Warning(flag->at, rule + "it is ignored here");
      }
    }
    fields_.ReportUnknown(context_.unknown);
  }

  const YamlEntry& entry_;
  Reading* reading_;
  const YamlNode* component_ = nullptr;
  Fields fields_;
  PortContext context_;
  Step step_;
};

}  // namespace

void ReadSteps(const YamlNode& jobs, const Origin& origin, Reading* reading) {
  for (const YamlEntry& entry : jobs.entries) NodeReader(entry, origin, reading).Read();
}

void ReadStandaloneStep(Fields* fields, const Origin& origin, Reading* reading) {
  Step step;
  step.name = "main";
  ReadCommand(fields, origin, reading, &step);
  ReadRunSettings(fields, origin, Severity::kError, reading, &step);
  step.compute = ResourceName(fields->Text("compute"));
  const PortContext context{reading, origin, "the job", "jobs.main.", Severity::kError, false};
  if (const YamlNode* inputs = fields->Map("inputs")) {
    for (const YamlEntry& entry : inputs->entries) {
      step.inputs.push_back(ReadGivenInput(entry, nullptr, context).input);
    }
  }
  if (const YamlNode* outputs = fields->Map("outputs")) {
    for (const YamlEntry& entry : outputs->entries) {
      step.outputs.push_back(ReadGivenOutput(entry, nullptr, context).output);
    }
  }
  reading->sources.SetOnlyStep(step.name);
  reading->spec.steps.push_back(std::move(step));
}

}  // namespace potok::client
