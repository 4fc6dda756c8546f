#include "client/frontend/azureml/step_reader.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "client/frontend/azureml/component.h"
#include "client/frontend/azureml/definition.h"
#include "client/frontend/azureml/port.h"
#include "client/frontend/azureml/reference.h"
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
  for (const auto& port : ports) names.push_back(port.name);
  return names;
}

// One node, with what its parts have in common.
class NodeReader {
 public:
  NodeReader(const YamlEntry& entry, const Origin& origin, Reading* reading)
      : entry_(entry),
        reading_(reading),
        where_("jobs." + entry.key),
        fields_(entry.value,
                fmt::format("node '{}'", entry.key),
                &reading->reporter,
                ResolverOf(reading)),
        context_{reading, origin, fields_.what(), true} {}

  // Adds the step to the spec, unless it cannot be one.
  void Read() {
    const std::string type = fields_.Word("type");
    if (const std::string refusal = Refusal(type); !refusal.empty()) {
      reading_->reporter.Error(
          fields_.At("type"), fmt::format("{} is of type '{}'; {}", fields_.what(), type, refusal));
      return;
    }
    if (fields_.map() == nullptr) {
      if (entry_.value->IsNull()) {
        reading_->reporter.Error(
            entry_.at, fmt::format("{} is empty; write a command or a component", fields_.what()));
      }
      return;
    }
    const YamlNode* component = fields_.Value("component");
    if (component == nullptr) {
      ReadInline();
    } else if (!ReadReference(*component)) {
      return;
    }
    step_.name = entry_.key;
    ReadCommon();
    reading_->places[where_] = entry_.at;
    reading_->spec.steps.push_back(std::move(step_));
  }

 private:
  std::size_t index() const { return reading_->spec.steps.size(); }

  void ReadInline() {
    ReadCommand(&fields_, context_.origin, reading_, &step_);
    reading_->places[where_ + ".command"] = fields_.At("command");
    if (const YamlNode* inputs = fields_.Map("inputs")) {
      for (const YamlEntry& entry : inputs->entries) {
        GivenInput given = ReadGivenInput(entry, nullptr, context_);
        if (!given.is_typed) reading_->untyped_inputs.insert({index(), entry.key});
        step_.inputs.push_back(std::move(given.input));
        reading_->places[where_ + ".inputs." + entry.key] = entry.value->at;
      }
    }
    if (const YamlNode* outputs = fields_.Map("outputs")) {
      for (const YamlEntry& entry : outputs->entries) {
        GivenOutput given = ReadGivenOutput(entry, nullptr, context_);
        if (!given.is_typed) reading_->untyped_outputs.insert({index(), entry.key});
        step_.outputs.push_back(std::move(given.output));
        reading_->places[where_ + ".outputs." + entry.key] = entry.value->at;
      }
    }
  }

  bool ReadReference(const YamlNode& value) {
    std::optional<Component> component =
        ReadComponent(value, context_.origin, fields_.what(), reading_);
    if (!component) return false;
    step_ = std::move(component->step);
    reading_->places[where_ + ".command"] = component->command_place;
    for (const Input& input : step_.inputs) {
      if (std::holds_alternative<std::monostate>(input.value)) continue;
      reading_->places[where_ + ".inputs." + input.name] = component->input_places[input.name];
    }
    BindInputs();
    BindOutputs();
    return true;
  }

  void BindInputs() {
    const YamlNode* inputs = fields_.Map("inputs");
    reading_->places[where_ + ".inputs"] = inputs == nullptr ? entry_.at : fields_.At("inputs");
    if (inputs == nullptr) return;
    for (const YamlEntry& entry : inputs->entries) {
      const auto declared = std::ranges::find(step_.inputs, entry.key, &Input::name);
      if (declared == step_.inputs.end()) {
        ReportUndeclared("input", entry, NamesOf(step_.inputs));
        continue;
      }
      *declared = ReadGivenInput(entry, &*declared, context_).input;
      reading_->places[where_ + ".inputs." + entry.key] = entry.value->at;
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
      reading_->places[where_ + ".outputs." + entry.key] = entry.value->at;
    }
  }

  void ReportUndeclared(const char* port,
                        const YamlEntry& entry,
                        const std::vector<std::string>& declared) {
    std::string hint = Suggestion(entry.key, declared);
    if (hint.empty()) {
      hint = declared.empty() ? fmt::format("; it declares no {}s", port)
                              : fmt::format("; it declares {}", Joined(declared));
    }
    reading_->reporter.Error(
        entry.at,
        fmt::format("{}: its component has no {} '{}'{}", fields_.what(), port, entry.key, hint));
  }

  void ReadCommon() {
    const bool is_inline = fields_.map()->Find("component") == nullptr;
    ReadRunSettings(&fields_, context_.origin, reading_, &step_);
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
    reading_->places[where_ + ".depends_on"] = fields_.At("depends_on");
    fields_.Map("services");
    fields_.Map("identity");
    fields_.Map("queue_settings");
    fields_.Ignore(IgnoredKeys());
    if (is_inline && fields_.map()->Find("is_deterministic") != nullptr) {
      reading_->reporter.Error(
          fields_.map()->Find("is_deterministic")->at,
          fmt::format("{}: is_deterministic belongs to a component; write the command as "
                      "component: {{command: ..., is_deterministic: ...}}",
                      fields_.what()));
      fields_.Ignore({"is_deterministic"});
    }
    fields_.ReportUnknown(is_inline ? Severity::kError : Severity::kWarning);
  }

  const YamlEntry& entry_;
  Reading* reading_;
  std::string where_;
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
  ReadRunSettings(fields, origin, reading, &step);
  step.compute = ResourceName(fields->Text("compute"));
  const PortContext context{reading, origin, "the job", false};
  std::map<std::string, Place>& places = reading->places;
  if (const YamlNode* inputs = fields->Map("inputs")) {
    for (const YamlEntry& entry : inputs->entries) {
      step.inputs.push_back(ReadGivenInput(entry, nullptr, context).input);
      places["jobs.main.inputs." + entry.key] = entry.value->at;
    }
  }
  if (const YamlNode* outputs = fields->Map("outputs")) {
    for (const YamlEntry& entry : outputs->entries) {
      step.outputs.push_back(ReadGivenOutput(entry, nullptr, context).output);
      places["jobs.main.outputs." + entry.key] = entry.value->at;
    }
  }
  places["jobs.main.command"] = fields->At("command");
  places["jobs.main"] = fields->map() == nullptr ? Place{} : fields->map()->at;
  reading->spec.steps.push_back(std::move(step));
}

}  // namespace potok::client
