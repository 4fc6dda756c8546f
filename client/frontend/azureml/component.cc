#include "client/frontend/azureml/component.h"

#include "absl/strings/match.h"
#include "client/frontend/azureml/definition.h"
#include "client/frontend/azureml/policy.h"
#include "client/frontend/azureml/port.h"
#include "client/frontend/azureml/reference.h"
#include "client/frontend/azureml/scalar.h"
#include "fmt/format.h"

namespace potok::client {

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
    if (const auto path = ReadInclude(item->text, item->at, origin, &reading->reporter)) {
      includes.push_back(*path);
    }
  }
  if (includes.empty()) return;
  if (!std::holds_alternative<LocalCode>(step->code)) step->code = LocalCode{};
  std::get<LocalCode>(step->code).additional_includes = std::move(includes);
}

void ReadComponentHead(Fields* fields, const ComponentSource& source, Step* step) {
  step->component = fields->RawText("name");
  step->component_version = VersionText(fields->Scalar("version"));
  if (!source.name.empty()) {
    step->component = source.name;
    step->component_version = source.version;
  }
  step->display_name = fields->RawText("display_name");
  step->description = fields->RawText("description");
  step->tags = fields->Texts("tags", Fields::Strictness::kAnyScalar);
}

void ReadDeclaredPorts(Fields* fields, const ComponentUse& use, Reading* reading, Step* step) {
  const PortContext context{
      reading, use.source.origin, fields->what(), "", Severity::kWarning, false};
  step->inputs = ReadDeclaredInputs(fields->Map("inputs"), context);
  step->outputs = ReadDeclaredOutputs(fields->Map("outputs"), context);
}

void IgnoreComponentKeys(Fields* fields) {
  fields->Ignore({"$schema",
                  "type",
                  "properties",
                  "id",
                  "creation_context",
                  "services",
                  "identity",
                  "is_deterministic"});
}

std::optional<Step> ReadCommandComponent(const ComponentUse& use, Reading* reading) {
  Reporter* reporter = &reading->reporter;
  const YamlNode& map = *use.source.map;
  Fields fields(&map, fmt::format("component {}", use.source.shown), reporter);
  if (map.IsNull()) {
    reporter->Error(
        use.at,
        fmt::format(
            "{}: component {} is empty; write a command there", use.what, use.source.shown));
  }
  if (fields.map() == nullptr) return std::nullopt;
  Step step;
  ReadComponentHead(&fields, use.source, &step);
  step.deterministic = fields.Flag("is_deterministic").value_or(true);
  ReadCommand(&fields, use.source.origin, reading, &step);
  if (step.command.empty()) {
    reporter->Error(map.at, fmt::format("{} has no command; write what it runs", fields.what()));
  }
  ReadIncludes(&fields, use.source.origin, reading, &step);
  ReadRunSettings(&fields, use.source.origin, Severity::kWarning, reading, &step);
  ReadLimits(&fields, Severity::kWarning, reading, &step);
  ReadPolicy(&fields, reading, &step);
  ReadDeclaredPorts(&fields, use, reading, &step);
  IgnoreComponentKeys(&fields);
  fields.ReportUnknown(Severity::kWarning);
  return step;
}

}  // namespace potok::client
