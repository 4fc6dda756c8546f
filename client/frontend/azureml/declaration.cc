// The declarations of port.h: what components say of their inputs and outputs.
#include "absl/strings/ascii.h"
#include "client/frontend/azureml/port.h"
#include "client/frontend/azureml/port_fields.h"
#include "fmt/format.h"

namespace potok::client {

namespace {

Input ReadDeclaredInput(const YamlEntry& entry, const PortContext& context) {
  Reporter* reporter = &context.reading->reporter;
  Input input;
  input.name = entry.key;
  Fields fields(entry.value, fmt::format("input '{}' of {}", entry.key, context.what), reporter);
  const std::optional<ValueType> type = ReadType(&fields, reporter);
  if (!type && fields.Value("type") == nullptr) {
    reporter->Error(entry.at, fmt::format("{} has no type; write {}", fields.what(), kTypeNames));
  }
  input.type = type.value_or(ValueType::kString);
  input.optional = fields.Flag("optional").value_or(false);
  input.description = fields.Text("description");
  input.min = ReadBound(&fields, "min", reporter);
  input.max = ReadBound(&fields, "max", reporter);
  input.choices = ReadChoices(&fields, input.type, reporter);
  // Old components declare modes of outputs for inputs too; a step's inputs are read-only here.
  const std::string word = absl::AsciiStrToLower(fields.RawText("mode"));
  if (word != "rw_mount" && word != "upload") {
    input.mode = ReadMode(&fields, Direction::kInput, reporter);
  }
  if (const YamlNode* value = fields.Scalar("default")) {
    const Input declared = input;
    input.value = ReadGivenInput({entry.key, value->at, value}, &declared, context).input.value;
  }
  fields.ReportUnknown(context.unknown);
  return input;
}

}  // namespace

std::vector<Input> ReadDeclaredInputs(const YamlNode* map, const PortContext& context) {
  std::vector<Input> inputs;
  if (map == nullptr) return inputs;
  for (const YamlEntry& entry : map->entries) inputs.push_back(ReadDeclaredInput(entry, context));
  return inputs;
}

std::vector<Output> ReadDeclaredOutputs(const YamlNode* map, const PortContext& context) {
  std::vector<Output> outputs;
  if (map == nullptr) return outputs;
  for (const YamlEntry& entry : map->entries) {
    outputs.push_back(ReadGivenOutput(entry, nullptr, context).output);
  }
  return outputs;
}

}  // namespace potok::client
