#include "client/frontend/azureml/node_ports.h"

#include <algorithm>

#include "common/pipeline/suggest.h"
#include "fmt/format.h"

namespace potok::client {

namespace {

std::vector<std::string> NamesOf(const auto& ports) {
  std::vector<std::string> names;
  names.reserve(ports.size());
  for (const auto& port : ports) names.push_back(port.name);
  return names;
}

void ReportUndeclared(const PortContext& context,
                      Severity severity,
                      const char* port,
                      const YamlEntry& entry,
                      const std::vector<std::string>& declared) {
  // A name that is nearly a declared one is a slip in any case.
  const bool is_ignored = severity != Severity::kError && !NearestName(entry.key, declared);
  context.reading->reporter.Report(is_ignored ? severity : Severity::kError,
                                   entry.at,
                                   fmt::format("{}: its component has no {} '{}'{}{}",
                                               context.what,
                                               port,
                                               entry.key,
                                               is_ignored ? ", and this is ignored" : "",
                                               SuggestionFor(entry.key, declared)));
}

}  // namespace

void BindPorts(Fields* fields, const PortContext& context, Step* step) {
  if (const YamlNode* inputs = fields->Map("inputs")) {
    for (const YamlEntry& entry : inputs->entries) {
      const auto declared = std::ranges::find(step->inputs, entry.key, &Input::name);
      if (declared == step->inputs.end()) {
        ReportUndeclared(context, context.undeclared_input, "input", entry, NamesOf(step->inputs));
      } else {
        *declared = ReadGivenInput(entry, &*declared, context).input;
      }
    }
  }
  const YamlNode* outputs = fields->Map("outputs");
  if (outputs == nullptr) return;
  for (const YamlEntry& entry : outputs->entries) {
    const auto declared = std::ranges::find(step->outputs, entry.key, &Output::name);
    if (declared == step->outputs.end()) {
      ReportUndeclared(context, Severity::kError, "output", entry, NamesOf(step->outputs));
    } else {
      *declared = ReadGivenOutput(entry, &*declared, context).output;
    }
  }
}

void GiveInput(const YamlEntry& entry, const PortContext& context, Step* step) {
  GivenInput given = ReadGivenInput(entry, nullptr, context);
  Scope& scope = *context.reading->scope;
  if (!given.is_typed) scope.untyped_inputs.insert({scope.steps.size(), entry.key});
  step->inputs.push_back(std::move(given.input));
}

void GivePorts(Fields* fields, const PortContext& context, Step* step) {
  if (const YamlNode* inputs = fields->Map("inputs")) {
    for (const YamlEntry& entry : inputs->entries) GiveInput(entry, context, step);
  }
  const YamlNode* outputs = fields->Map("outputs");
  if (outputs == nullptr) return;
  Scope& scope = *context.reading->scope;
  for (const YamlEntry& entry : outputs->entries) {
    GivenOutput given = ReadGivenOutput(entry, nullptr, context);
    if (!given.is_typed) scope.untyped_outputs.insert({scope.steps.size(), entry.key});
    step->outputs.push_back(std::move(given.output));
  }
}

}  // namespace potok::client
