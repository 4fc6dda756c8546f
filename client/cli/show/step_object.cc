#include "client/cli/show/step_object.h"

#include <algorithm>
#include <cctype>
#include <string>
#include <utility>

#include "client/cli/show/object_values.h"
#include "client/cli/show/resources_object.h"
#include "client/cli/text/table.h"
#include "client/potok_client/run_state.h"
#include "fmt/format.h"

namespace potok::client {

namespace {

// The words of the YAML: "VALUE_TYPE_URI_FOLDER" is "uri_folder".
std::string Word(const std::string& enum_name, const std::string& prefix) {
  std::string word = enum_name.substr(std::min(prefix.size(), enum_name.size()));
  for (char& c : word) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return word;
}

std::string TypeName(v1::ValueType type) {
  return Word(v1::ValueType_Name(type), "VALUE_TYPE_");
}

Value ModeName(v1::Mode mode, const char* by_default) {
  if (mode == v1::MODE_UNSPECIFIED) return Value(by_default);
  return Value(Word(v1::Mode_Name(mode), "MODE_"));
}

std::string PathOf(const v1::Artifact& artifact) {
  return fmt::format("sha256:{}/{}", artifact.digest().hash(), artifact.digest().size_bytes());
}

// Primitives as they are written, data as {mode, path, type}.
Value InputObject(const v1::Input& input) {
  const v1::Binding& binding = input.value();
  if (binding.value_case() == v1::Binding::kText) return Value(binding.text());
  std::string path;
  if (binding.value_case() == v1::Binding::kArtifact) path = PathOf(binding.artifact());
  if (binding.value_case() == v1::Binding::kUri) path = binding.uri();
  if (path.empty()) return Value();
  return Value(Object{{"mode", ModeName(input.mode(), "ro_mount")},
                      {"path", path},
                      {"type", TypeName(input.type())}});
}

}  // namespace

Value InputsObject(const google::protobuf::RepeatedPtrField<v1::Input>& inputs) {
  Object object;
  for (const v1::Input& input : inputs) object.emplace_back(input.name(), InputObject(input));
  return Value(std::move(object));
}

Value OutputsObject(const google::protobuf::RepeatedPtrField<v1::Output>& declared,
                    const google::protobuf::RepeatedPtrField<v1::OutputValue>& values) {
  Object object;
  for (const v1::Output& output : declared) {
    Object member = {{"mode", ModeName(output.mode(), "rw_mount")},
                     {"path", TextOrNull(output.path())},
                     {"type", TypeName(output.type())}};
    for (const v1::OutputValue& value : values) {
      if (value.name() != output.name()) continue;
      if (value.has_artifact()) {
        member[1].second = value.path().empty() ? PathOf(value.artifact()) : value.path();
        member.emplace_back("size_bytes", value.artifact().total_bytes());
      } else if (value.value_case() == v1::OutputValue::kText) {
        member.emplace_back("value", value.text());
      }
    }
    object.emplace_back(output.name(), std::move(member));
  }
  return Value(std::move(object));
}

void AddUsage(const v1::StepStatus& step, Object* members) {
  Array notes;
  for (const std::string& note : step.resource_notes()) notes.emplace_back(note);
  members->emplace_back("requested",
                        step.has_requested() ? ResourcesObject(step.requested()) : Value());
  members->emplace_back("usage", step.has_usage() ? UsageObject(step.usage()) : Value());
  members->emplace_back("resource_notes", std::move(notes));
}

Object StateMembers(const v1::StepStatus& step) {
  Object members = {{"status", NameOf(step.status())},
                    {"reason", TextOrNull(step.reason())},
                    {"waiting_for", TextOrNull(step.waiting_for())},
                    {"machine", TextOrNull(step.machine())},
                    {"runtime", TextOrNull(step.runtime())},
                    {"attempt", step.attempt()},
                    {"exit_code", step.has_exit_code() ? Value(step.exit_code()) : Value()},
                    {"reused_from", TextOrNull(step.reused_from())},
                    {"saved_seconds", static_cast<double>(step.saved_us()) / 1e6},
                    {"queued_at", TextOrNull(IsoTime(step.queued_us()))},
                    {"started_at", TextOrNull(IsoTime(step.started_us()))},
                    {"ended_at", TextOrNull(IsoTime(step.ended_us()))}};
  AddUsage(step, &members);
  return members;
}

Object SpecMembers(const v1::Step& spec, const v1::StepStatus* step) {
  static const google::protobuf::RepeatedPtrField<v1::OutputValue> kNone;
  return {
      {"type", "command"},
      {"component", TextOrNull(spec.component())},
      {"command", spec.command()},
      {"compute", TextOrNull(spec.compute())},
      {"environment",
       TextOrNull(spec.environment().empty() ? spec.environment_definition() : spec.environment())},
      {"environment_variables", SortedTexts(spec.environment_variables())},
      {"inputs", InputsObject(spec.inputs())},
      {"outputs", OutputsObject(spec.outputs(), step == nullptr ? kNone : step->outputs())},
      {"resources", RequestObject(spec)}};
}

}  // namespace potok::client
