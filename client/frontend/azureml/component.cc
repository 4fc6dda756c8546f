#include "client/frontend/azureml/component.h"

#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "client/frontend/azureml/definition.h"
#include "client/frontend/azureml/port.h"
#include "client/frontend/azureml/reference.h"
#include "client/frontend/azureml/scalar.h"
#include "fmt/format.h"

namespace potok::client {

namespace {

void ReadIncludes(Fields* fields, const Origin& origin, Reading* reading, Step* step) {
  std::vector<std::string> includes;
  const YamlNode* list = fields->List("additional_includes");
  if (list == nullptr) return;
  for (const YamlNode* item : list->items) {
    if (!item->IsScalar()) {
      reading->reporter.Error(item->at,
                              fmt::format("{}: additional_includes lists paths", fields->what()));
      continue;
    }
    const Code code = ReadCode(item->text, item->at, origin, &reading->reporter);
    if (const auto* local = std::get_if<LocalCode>(&code)) includes.push_back(local->path);
  }
  if (includes.empty()) return;
  if (!std::holds_alternative<LocalCode>(step->code)) step->code = LocalCode{};
  std::get<LocalCode>(step->code).additional_includes = std::move(includes);
}

// The component in `map`, which stands in a file of `origin`.
std::optional<Component> ReadComponentMap(const YamlNode& map,
                                          const Origin& origin,
                                          const std::string& shown,
                                          const Place& used_at,
                                          const std::string& what,
                                          Reading* reading) {
  Reporter* reporter = &reading->reporter;
  Fields fields(&map, fmt::format("component {}", shown), reporter);
  if (map.IsNull()) {
    reporter->Error(used_at,
                    fmt::format("{}: component {} is empty; write a command there", what, shown));
  }
  if (fields.map() == nullptr) return std::nullopt;
  const std::string type = fields.Word("type");
  const std::string refusal = Refusal(type);
  if (!refusal.empty()) {
    reporter->Error(
        used_at, fmt::format("{}: component {} is of type '{}'; {}", what, shown, type, refusal));
    return std::nullopt;
  }
  Component component;
  component.source = &map;
  Step& step = component.step;
  step.component = fields.RawText("name");
  step.component_version = VersionText(fields.Scalar("version"));
  step.display_name = fields.RawText("display_name");
  step.description = fields.RawText("description");
  step.tags = fields.Texts("tags", Fields::Strictness::kAnyScalar);
  step.deterministic = fields.Flag("is_deterministic").value_or(true);
  ReadCommand(&fields, origin, reading, &step);
  if (step.command.empty()) {
    reporter->Error(map.at, fmt::format("{} has no command; write what it runs", fields.what()));
  }
  ReadIncludes(&fields, origin, reading, &step);
  ReadRunSettings(&fields, origin, Severity::kWarning, reading, &step);
  const PortContext context{reading, origin, fields.what(), "", Severity::kWarning, false};
  step.inputs = ReadDeclaredInputs(fields.Map("inputs"), context);
  step.outputs = ReadDeclaredOutputs(fields.Map("outputs"), context);
  fields.Ignore({"$schema", "properties", "id", "creation_context", "services", "identity"});
  fields.ReportUnknown(Severity::kWarning);
  return component;
}

}  // namespace

std::string Refusal(const std::string& type) {
  static const std::map<std::string, std::string> advice = {
      {"pipeline", "nested pipelines are not supported yet; copy its nodes into this pipeline"},
      {"sweep", "sweeps are not supported yet; write one command node for each trial"},
      {"parallel",
       "parallel steps are not supported yet; write a command that goes over the files"},
      {"spark", "Potok runs no Spark; write a command node that calls spark-submit"},
      {"automl", "Potok has no AutoML; write a command node that trains the model"},
      {"import", "data imports are not supported yet; write a command node that fetches the data"},
      {"data_transfer", "data transfers are not supported yet; write a command node that copies"},
      {"do_while", "loops are not supported yet; write the rounds as command nodes"},
      {"if_else", "conditions are not supported yet; decide inside a command node"},
      {"parallel_for", "loops are not supported yet; write one command node for each item"},
  };
  if (type.empty() || type == "command" || type == "commandcomponent") return "";
  const auto known = advice.find(type);
  return known == advice.end() ? "write type: command, the kind that Potok runs" : known->second;
}

std::optional<Component> ReadComponent(const YamlNode& value,
                                       const Origin& origin,
                                       const std::string& what,
                                       Reading* reading) {
  Reporter* reporter = &reading->reporter;
  if (value.IsMap()) {
    return ReadComponentMap(value, origin, "of " + what, value.at, what, reading);
  }
  if (!value.IsScalar()) {
    reporter->Error(
        value.at,
        fmt::format("{}: component must be a path or a map, but is {}", what, NameOf(value.kind)));
    return std::nullopt;
  }
  if (IsAssetReference(value.text)) {
    reporter->Error(value.at,
                    fmt::format("{}: component '{}' is registered elsewhere, and there is no "
                                "registry yet; save its YAML beside the pipeline and write "
                                "component: ./FILE.yml",
                                what,
                                value.text));
    return std::nullopt;
  }
  const std::string written = WithoutFilePrefix(value.text);
  const std::string path = AbsoluteFrom(origin, written);
  const std::string shown = ShownFrom(origin, written);
  auto [file, is_new] = reading->files.try_emplace(path, nullptr);
  if (is_new) file->second = ParseYamlFile(path, shown, value.at, &reading->arena, reporter);
  if (file->second == nullptr) return std::nullopt;
  return ReadComponentMap(
      *file->second, OriginOf(shown), "'" + shown + "'", value.at, what, reading);
}

}  // namespace potok::client
