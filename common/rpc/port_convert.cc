#include "common/rpc/port_convert.h"

#include <string>
#include <utility>

#include "common/base/check.h"
#include "common/base/overloaded.h"
#include "common/base/status_macros.h"
#include "common/rpc/value_convert.h"
#include "fmt/format.h"

namespace potok {

namespace {

// Only where something is wrong is the place put together: there are 100,000 steps.
absl::Status At(const std::string& where, const absl::Status& status) {
  return absl::Status(status.code(), fmt::format("{}: {}", where, std::string(status.message())));
}

void Write(const Binding& binding, v1::Binding* out) {
  std::visit(Overloaded{
                 [](const std::monostate&) {},
                 [&](const TextValue& text) { out->set_text(text.text); },
                 [&](const Artifact& artifact) { *out->mutable_artifact() = ToProto(artifact); },
                 [&](const UriValue& uri) { out->set_uri(uri.uri); },
                 [](const LocalPath&) { POTOK_CHECK(false && "a local path has no wire form"); },
             },
             binding);
}

absl::StatusOr<Binding> BindingFromProto(const v1::Binding& binding) {
  switch (binding.value_case()) {
    case v1::Binding::kText:
      return Binding(TextValue{binding.text()});
    case v1::Binding::kArtifact: {
      POTOK_ASSIGN_OR_RETURN(Artifact artifact, FromProto(binding.artifact()));
      return Binding(std::move(artifact));
    }
    case v1::Binding::kUri:
      return Binding(UriValue{binding.uri()});
    case v1::Binding::VALUE_NOT_SET:
      return Binding();
  }
  return Binding();
}

absl::Status Read(const v1::Input& input, Input* out) {
  out->name = input.name();
  POTOK_ASSIGN_OR_RETURN(out->type, FromProto(input.type()));
  POTOK_ASSIGN_OR_RETURN(out->mode, FromProto(input.mode()));
  out->optional = input.optional();
  POTOK_ASSIGN_OR_RETURN(out->value, BindingFromProto(input.value()));
  if (input.has_min()) out->min = input.min();
  if (input.has_max()) out->max = input.max();
  out->choices.assign(input.choices().begin(), input.choices().end());
  out->description = input.description();
  return absl::OkStatus();
}

absl::Status Read(const v1::Output& output, Output* out) {
  out->name = output.name();
  POTOK_ASSIGN_OR_RETURN(out->type, FromProto(output.type()));
  POTOK_ASSIGN_OR_RETURN(out->mode, FromProto(output.mode()));
  out->path = output.path();
  out->promoted_to = output.promoted_to();
  out->asset_name = output.asset_name();
  out->asset_version = output.asset_version();
  out->control = output.control();
  out->early_available = output.early_available();
  return absl::OkStatus();
}

template <class Message, class Port>
absl::Status ReadEach(const google::protobuf::RepeatedPtrField<Message>& messages,
                      const std::string& kind,
                      std::vector<Port>* ports) {
  ports->reserve(static_cast<std::size_t>(messages.size()));
  for (const Message& message : messages) {
    const absl::Status status = Read(message, &ports->emplace_back());
    if (!status.ok()) return At(kind + message.name(), status);
  }
  return absl::OkStatus();
}

}  // namespace

void Write(const Input& input, v1::Input* out) {
  out->set_name(input.name);
  out->set_type(ToProto(input.type));
  out->set_mode(ToProto(input.mode));
  out->set_optional(input.optional);
  if (!std::holds_alternative<std::monostate>(input.value)) {
    Write(input.value, out->mutable_value());
  }
  if (input.min) out->set_min(*input.min);
  if (input.max) out->set_max(*input.max);
  for (const std::string& choice : input.choices) out->add_choices(choice);
  out->set_description(input.description);
}

v1::Output ToProto(const Output& output) {
  v1::Output out;
  out.set_name(output.name);
  out.set_type(ToProto(output.type));
  out.set_mode(ToProto(output.mode));
  out.set_path(output.path);
  out.set_promoted_to(output.promoted_to);
  out.set_asset_name(output.asset_name);
  out.set_asset_version(output.asset_version);
  out.set_control(output.control);
  out.set_early_available(output.early_available);
  return out;
}

absl::Status ReadPorts(const google::protobuf::RepeatedPtrField<v1::Input>& messages,
                       std::vector<Input>* ports) {
  return ReadEach(messages, "inputs.", ports);
}

absl::Status ReadPorts(const google::protobuf::RepeatedPtrField<v1::Output>& messages,
                       std::vector<Output>* ports) {
  return ReadEach(messages, "outputs.", ports);
}

}  // namespace potok
