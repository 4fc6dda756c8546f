#include "client/frontend/azureml/definition.h"

#include <limits>

#include "client/frontend/azureml/environment.h"
#include "client/frontend/azureml/machine_request.h"
#include "client/frontend/azureml/reference.h"
#include "common/pipeline/validate.h"
#include "fmt/format.h"

namespace potok::client {

namespace {

void ReadDistribution(Fields* outer, Severity unknown, Reading* reading, Step* step) {
  const YamlNode* map = outer->Map("distribution");
  if (map == nullptr) return;
  static const std::map<std::string, std::vector<std::string>> properties = {
      {"pytorch", {}},
      {"mpi", {}},
      {"tensorflow", {"worker_count", "parameter_server_count"}},
      {"ray",
       {"port",
        "address",
        "include_dashboard",
        "dashboard_port",
        "head_node_additional_args",
        "worker_node_additional_args"}}};
  Fields fields(map, outer->what() + ": distribution", &reading->reporter, ResolverOf(reading));
  Distribution distribution;
  distribution.type = fields.Word("type");
  const auto known = properties.find(distribution.type);
  if (known == properties.end()) {
    reading->reporter.Error(
        fields.At("type"),
        fmt::format("{}: type must be pytorch, mpi, tensorflow or ray", fields.what()));
    return;
  }
  if (const auto count = fields.Whole("process_count_per_instance", 1, kProcessesOfMachineMax)) {
    distribution.process_count_per_instance = static_cast<std::int32_t>(*count);
  }
  for (const std::string& key : known->second) {
    if (const std::string text = fields.Text(key); !text.empty()) {
      distribution.properties[key] = text;
    }
  }
  fields.ReportUnknown(unknown);
  step->distribution = std::move(distribution);
}

}  // namespace

void ReadCommand(Fields* fields, const Origin& origin, Reading* reading, Step* step) {
  step->command = fields->RawText("command");
  const std::string code = fields->RawText("code");
  if (!code.empty()) step->code = ReadCode(code, fields->At("code"), origin, &reading->reporter);
}

void ReadRunSettings(
    Fields* fields, const Origin& origin, Severity unknown, Reading* reading, Step* step) {
  if (const YamlNode* environment = fields->Value("environment")) {
    EnvironmentText text = ReadEnvironment(*environment, origin, fields->what(), reading);
    step->environment = std::move(text.name);
    step->environment_definition = std::move(text.definition);
  }
  for (auto& [key, value] :
       fields->Texts("environment_variables", Fields::Strictness::kTextsOnly)) {
    step->environment_variables[key] = value;
  }
  ReadResources(fields, unknown, reading, step);
  ReadDistribution(fields, unknown, reading, step);
}

void ReadLimits(Fields* outer, Severity unknown, Reading* reading, Step* step) {
  const YamlNode* map = outer->Map("limits");
  if (map == nullptr) return;
  Fields fields(map, outer->what() + ": limits", &reading->reporter, ResolverOf(reading));
  if (const auto timeout = fields.Whole("timeout", 1, std::numeric_limits<std::int32_t>::max())) {
    step->timeout_seconds = *timeout;
  }
  fields.ReportUnknown(unknown);
}

}  // namespace potok::client
