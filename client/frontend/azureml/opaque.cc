#include "client/frontend/azureml/opaque.h"

#include <algorithm>
#include <memory>

#include "client/frontend/azureml/node_type.h"
#include "client/frontend/azureml/reference.h"
#include "common/pipeline/control.h"
#include "fmt/format.h"

namespace potok::client {

namespace {

// automl has its data in fields of its own, and always makes this model.
constexpr const char* kAutomlData[] = {
    "training_data", "validation_data", "test_data", "cv_split_column_names"};
constexpr const char* kAutomlModel = "best_model";

void GiveAutomlPorts(Fields* fields, const PortContext& context, Step* step) {
  for (const char* key : kAutomlData) {
    const YamlEntry* entry = fields->map()->Find(key);
    if (entry == nullptr || entry->value->IsList() || entry->value->IsNull()) continue;
    GiveInput(*entry, context, step);
  }
  if (std::ranges::find(step->outputs, kAutomlModel, &Output::name) != step->outputs.end()) return;
  Output model;
  model.name = kAutomlModel;
  model.type = ValueType::kMlflowModel;
  step->outputs.push_back(std::move(model));
}

// What spark needs, so that a wrong file is told from one that is only not run here.
void CheckSpark(Fields* fields, const Origin& origin, Reporter* reporter) {
  const std::string code = fields->RawText("code");
  if (!code.empty()) ReadCode(code, fields->At("code"), origin, reporter);
  const YamlNode* entry = fields->Map("entry");
  const bool has_entry =
      entry != nullptr && (entry->Find("file") != nullptr || entry->Find("class_name") != nullptr);
  if (!has_entry) {
    reporter->Error(
        fields->At("entry"),
        fmt::format("{}: spark needs an entry with a file or a class_name", fields->what()));
  }
}

// As the node, or the sweep, writes it.
std::string NameElsewhere(Fields* fields) {
  const std::string component = fields->RawText("component");
  return component.empty() ? fields->RawText("trial") : component;
}

void MakeOpaque(const std::string& type, const std::string& instead, Step* step) {
  auto control = std::make_shared<Control>();
  control->kind = Opaque{type, instead};
  step->control = std::move(control);
}

// The keys are another service's; only those that every node has are asked for.
void IgnoreAll(Fields* fields) {
  for (const YamlEntry& entry : fields->map()->entries) fields->Ignore({entry.key});
}

}  // namespace

void ReadOpaque(const std::string& type,
                const ComponentUse* use,
                Fields* fields,
                const PortContext& context,
                Step* step) {
  Reporter* reporter = &context.reading->reporter;
  if (use != nullptr && use->source.is_elsewhere) {
    MakeOpaque("registry component", "component " + WhyElsewhere(NameElsewhere(fields)), step);
    context.reading->scope->open_ports.insert(context.reading->scope->steps.size());
    GivePorts(fields, context, step);
    return;
  }
  MakeOpaque(type, InsteadOf(type), step);
  if (use != nullptr && type == "prompt flow") {
    context.reading->scope->open_ports.insert(context.reading->scope->steps.size());
    GivePorts(fields, context, step);
  } else if (use != nullptr) {
    Fields component(use->source.map, fmt::format("component {}", use->source.shown), reporter);
    if (component.map() == nullptr) return;
    ReadComponentHead(&component, use->source, step);
    ReadDeclaredPorts(&component, *use, context.reading, step);
    if (type == "spark") CheckSpark(&component, use->source.origin, reporter);
    BindPorts(fields, context, step);
  } else {
    GivePorts(fields, context, step);
    if (type == "automl") GiveAutomlPorts(fields, context, step);
    if (type == "spark") CheckSpark(fields, context.origin, reporter);
  }
  IgnoreAll(fields);
}

}  // namespace potok::client
