#include "common/rpc/pipeline_convert.h"

#include <utility>

#include "common/base/check.h"
#include "common/base/overloaded.h"
#include "common/base/status_macros.h"
#include "common/rpc/control_convert.h"
#include "fmt/format.h"

namespace potok {

namespace {

template <class Map>
std::map<std::string, std::string> MapOf(const Map& map) {
  return {map.begin(), map.end()};
}

absl::StatusOr<ValueType> TypeOf(v1::ValueType type) {
  if (type <= v1::VALUE_TYPE_UNSPECIFIED || type > v1::VALUE_TYPE_TRITON_MODEL) {
    return absl::InvalidArgumentError(
        fmt::format("value type {} is not known to this server", static_cast<int>(type)));
  }
  return static_cast<ValueType>(type - 1);
}

absl::StatusOr<Mode> ModeOf(v1::Mode mode) {
  if (mode < v1::MODE_UNSPECIFIED || mode > v1::MODE_EVAL_DOWNLOAD) {
    return absl::InvalidArgumentError(
        fmt::format("mode {} is not known to this server", static_cast<int>(mode)));
  }
  return static_cast<Mode>(mode);
}

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

absl::Status Read(const v1::Input& input, Input* out) {
  out->name = input.name();
  POTOK_ASSIGN_OR_RETURN(out->type, TypeOf(input.type()));
  POTOK_ASSIGN_OR_RETURN(out->mode, ModeOf(input.mode()));
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
  POTOK_ASSIGN_OR_RETURN(out->type, TypeOf(output.type()));
  POTOK_ASSIGN_OR_RETURN(out->mode, ModeOf(output.mode()));
  out->path = output.path();
  out->promoted_to = output.promoted_to();
  out->asset_name = output.asset_name();
  out->asset_version = output.asset_version();
  out->control = output.control();
  out->early_available = output.early_available();
  return absl::OkStatus();
}

// Of a step's port, whose place the message begins with, or of the step itself.
absl::Status InStep(const std::string& name, const absl::Status& status) {
  const std::string message(status.message());
  const bool of_port = message.rfind("inputs.", 0) == 0 || message.rfind("outputs.", 0) == 0;
  return absl::Status(status.code(),
                      fmt::format("jobs.{}{}{}", name, of_port ? "." : ": ", message));
}

template <class Message, class Port>
absl::Status ReadPorts(const google::protobuf::RepeatedPtrField<Message>& messages,
                       const std::string& kind,
                       std::vector<Port>* ports) {
  ports->reserve(static_cast<std::size_t>(messages.size()));
  for (const Message& message : messages) {
    const absl::Status status = Read(message, &ports->emplace_back());
    if (!status.ok()) return At(kind + message.name(), status);
  }
  return absl::OkStatus();
}

void Write(const RetryPolicy& retry, v1::Retry* out) {
  out->set_max_attempts(retry.max_attempts);
  for (const std::string& cause : retry.on) out->add_on(cause);
  for (const std::int32_t code : retry.exit_codes) out->add_exit_codes(code);
  out->set_delay_seconds(retry.delay_seconds);
  out->set_backoff(retry.backoff);
  out->set_memory_factor(retry.memory_factor);
}

RetryPolicy RetryFromProto(const v1::Retry& retry) {
  RetryPolicy out;
  if (retry.max_attempts() != 0) out.max_attempts = retry.max_attempts();
  out.on.assign(retry.on().begin(), retry.on().end());
  out.exit_codes.assign(retry.exit_codes().begin(), retry.exit_codes().end());
  out.delay_seconds = retry.delay_seconds();
  if (retry.backoff() != 0) out.backoff = retry.backoff();
  if (retry.memory_factor() != 0) out.memory_factor = retry.memory_factor();
  return out;
}

void Write(const ReusePolicy& reuse, v1::Reuse* out) {
  out->set_disabled(!reuse.enabled);
  out->set_no_read(!reuse.read);
  out->set_max_age_seconds(reuse.max_age_seconds);
  out->set_salt(reuse.salt);
  for (const std::string& name : reuse.ignore_inputs) out->add_ignore_inputs(name);
}

ReusePolicy ReuseFromProto(const v1::Reuse& reuse) {
  ReusePolicy out;
  out.enabled = !reuse.disabled();
  out.read = !reuse.no_read();
  out.max_age_seconds = reuse.max_age_seconds();
  out.salt = reuse.salt();
  out.ignore_inputs.assign(reuse.ignore_inputs().begin(), reuse.ignore_inputs().end());
  return out;
}

// What few steps have.
void WriteRules(const Step& step, v1::Step* out) {
  out->set_environment_definition(step.environment_definition);
  if (step.retry != RetryPolicy{}) Write(step.retry, out->mutable_retry());
  if (step.reuse != ReusePolicy{}) Write(step.reuse, out->mutable_reuse());
  out->set_queue_timeout_seconds(step.queue_timeout_seconds);
  out->set_priority(step.priority);
  if (step.preemptible.has_value()) out->set_preemptible(*step.preemptible);
  out->set_isolation(step.isolation);
  out->set_network(step.network);
  out->set_when(step.when);
  out->set_finalizes(step.finalizes);
  // What the server makes of the number of instances is no part of what was submitted.
  const bool is_sent = step.control != nullptr && !std::holds_alternative<Gang>(step.control->kind);
  if (is_sent) *out->mutable_control() = ToProto(*step.control);
}

absl::Status ReadRules(const v1::Step& step, Step* out) {
  out->environment_definition = step.environment_definition();
  if (step.has_retry()) out->retry = RetryFromProto(step.retry());
  if (step.has_reuse()) out->reuse = ReuseFromProto(step.reuse());
  out->queue_timeout_seconds = step.queue_timeout_seconds();
  out->priority = step.priority();
  if (step.has_preemptible()) out->preemptible = step.preemptible();
  out->isolation = step.isolation();
  out->network = step.network();
  out->when = step.when();
  out->finalizes = step.finalizes();
  if (step.has_control()) {
    POTOK_ASSIGN_OR_RETURN(Control control, FromProto(step.control()));
    out->control = std::make_shared<const Control>(std::move(control));
  }
  return absl::OkStatus();
}

}  // namespace

void Write(const Step& step, v1::Step* out) {
  out->set_name(step.name);
  out->set_display_name(step.display_name);
  out->set_component(step.component);
  out->set_component_version(step.component_version);
  out->set_command(step.command);
  POTOK_CHECK(!std::holds_alternative<LocalCode>(step.code));
  if (const auto* code = std::get_if<Artifact>(&step.code)) *out->mutable_code() = ToProto(*code);
  for (const Input& input : step.inputs) Write(input, out->add_inputs());
  for (const Output& output : step.outputs) *out->add_outputs() = ToProto(output);
  out->mutable_environment_variables()->insert(step.environment_variables.begin(),
                                               step.environment_variables.end());
  out->set_environment(step.environment);
  *out->mutable_resources() = ToProto(step.resources);
  for (const std::string& model : step.gpu_models) out->add_gpu_models(model);
  out->set_gpu_memory_bytes(step.gpu_memory_bytes);
  out->set_label_expression(step.label_expression);
  out->set_compute(step.compute);
  out->set_instance_count(step.instance_count);
  if (!step.distribution.type.empty()) *out->mutable_distribution() = ToProto(step.distribution);
  out->set_timeout_seconds(step.timeout_seconds);
  for (const std::string& name : step.depends_on) out->add_depends_on(name);
  out->mutable_labels()->insert(step.labels.begin(), step.labels.end());
  out->mutable_tags()->insert(step.tags.begin(), step.tags.end());
  out->set_description(step.description);
  out->set_deterministic(step.deterministic);
  WriteRules(step, out);
}

absl::Status Read(const v1::Step& step, Step* out) {
  out->name = step.name();
  out->display_name = step.display_name();
  out->component = step.component();
  out->component_version = step.component_version();
  out->command = step.command();
  if (step.has_code()) {
    POTOK_ASSIGN_OR_RETURN(out->code, FromProto(step.code()));
  }
  POTOK_RETURN_IF_ERROR(ReadPorts(step.inputs(), "inputs.", &out->inputs));
  POTOK_RETURN_IF_ERROR(ReadPorts(step.outputs(), "outputs.", &out->outputs));
  out->environment_variables = MapOf(step.environment_variables());
  out->environment = step.environment();
  POTOK_ASSIGN_OR_RETURN(out->resources, FromProto(step.resources()));
  out->gpu_models.assign(step.gpu_models().begin(), step.gpu_models().end());
  out->gpu_memory_bytes = step.gpu_memory_bytes();
  out->label_expression = step.label_expression();
  out->compute = step.compute();
  out->instance_count = step.instance_count() == 0 ? 1 : step.instance_count();
  out->distribution.type = step.distribution().type();
  out->distribution.process_count_per_instance =
      std::max(1, step.distribution().process_count_per_instance());
  out->distribution.properties = MapOf(step.distribution().properties());
  out->timeout_seconds = step.timeout_seconds();
  out->depends_on.assign(step.depends_on().begin(), step.depends_on().end());
  out->labels = MapOf(step.labels());
  out->tags = MapOf(step.tags());
  out->description = step.description();
  out->deterministic = step.deterministic();
  return ReadRules(step, out);
}

v1::Digest ToProto(const Digest& digest) {
  v1::Digest out;
  out.set_hash(digest.Hex());
  out.set_size_bytes(digest.size_bytes);
  return out;
}

absl::StatusOr<Digest> FromProto(const v1::Digest& digest) {
  return ParseDigest(digest.hash(), digest.size_bytes());
}

v1::Artifact ToProto(const Artifact& artifact) {
  v1::Artifact out;
  *out.mutable_digest() = ToProto(artifact.digest);
  out.set_is_folder(artifact.is_folder);
  out.set_total_bytes(artifact.total_bytes);
  out.set_file_name(artifact.file_name);
  return out;
}

absl::StatusOr<Artifact> FromProto(const v1::Artifact& artifact) {
  Artifact out;
  POTOK_ASSIGN_OR_RETURN(out.digest, FromProto(artifact.digest()));
  out.is_folder = artifact.is_folder();
  out.total_bytes = artifact.total_bytes();
  out.file_name = artifact.file_name();
  return out;
}

v1::Resources ToProto(const Resources& resources) {
  v1::Resources out;
  out.set_memory_bytes(resources.memory_bytes);
  out.set_cpu_millis(resources.cpu_millis);
  out.set_gpus(resources.gpu_millis / kMillisOfGpu);
  out.set_gpu_millis(resources.gpu_millis);
  out.set_disk_bytes(resources.disk_bytes);
  out.mutable_named()->insert(resources.named.begin(), resources.named.end());
  return out;
}

absl::StatusOr<Resources> FromProto(const v1::Resources& resources) {
  Resources out;
  out.memory_bytes = resources.memory_bytes();
  out.cpu_millis = resources.cpu_millis();
  out.gpu_millis = GpuMillisOf(resources);
  out.disk_bytes = resources.disk_bytes();
  bool is_negative =
      out.memory_bytes < 0 || out.cpu_millis < 0 || out.gpu_millis < 0 || out.disk_bytes < 0;
  for (const auto& [name, count] : resources.named()) {
    if (count < 0) is_negative = true;
    if (count != 0) out.named[name] = count;
  }
  if (!is_negative) return out;
  return absl::InvalidArgumentError("resources cannot be negative: " +
                                    resources.ShortDebugString());
}

std::int32_t GpuMillisOf(const v1::Resources& resources) {
  return resources.gpu_millis() != 0 ? resources.gpu_millis() : MillisOfGpus(resources.gpus());
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

v1::Distribution ToProto(const Distribution& distribution) {
  v1::Distribution out;
  out.set_type(distribution.type);
  out.set_process_count_per_instance(distribution.process_count_per_instance);
  out.mutable_properties()->insert(distribution.properties.begin(), distribution.properties.end());
  return out;
}

// The wire enums are the C++ ones in the same order; those that may not be absent start at 1.
v1::ValueType ToProto(ValueType type) {
  return static_cast<v1::ValueType>(static_cast<int>(type) + 1);
}
v1::Mode ToProto(Mode mode) {
  return static_cast<v1::Mode>(mode);
}

v1::PipelineSpec ToProto(const PipelineSpec& spec) {
  v1::PipelineSpec out;
  out.set_is_pipeline(spec.is_pipeline);
  out.set_name(spec.name);
  out.set_display_name(spec.display_name);
  out.set_description(spec.description);
  out.set_experiment_name(spec.experiment_name);
  out.mutable_tags()->insert(spec.tags.begin(), spec.tags.end());
  out.mutable_properties()->insert(spec.properties.begin(), spec.properties.end());
  for (const Input& input : spec.inputs) Write(input, out.add_inputs());
  for (const Output& output : spec.outputs) *out.add_outputs() = ToProto(output);
  out.mutable_steps()->Reserve(static_cast<int>(spec.steps.size()));
  for (const Step& step : spec.steps) Write(step, out.add_steps());
  v1::Settings& settings = *out.mutable_settings();
  settings.set_default_compute(spec.settings.default_compute);
  settings.set_default_datastore(spec.settings.default_datastore);
  settings.set_continue_on_step_failure(spec.settings.continue_on_step_failure);
  settings.set_force_rerun(spec.settings.force_rerun);
  settings.set_retention_seconds(spec.settings.retention_seconds);
  settings.set_max_running_steps(spec.settings.max_running_steps);
  return out;
}

absl::StatusOr<PipelineSpec> FromProto(const v1::PipelineSpec& spec) {
  PipelineSpec out;
  out.is_pipeline = spec.is_pipeline();
  out.name = spec.name();
  out.display_name = spec.display_name();
  out.description = spec.description();
  out.experiment_name = spec.experiment_name();
  out.tags = MapOf(spec.tags());
  out.properties = MapOf(spec.properties());
  POTOK_RETURN_IF_ERROR(ReadPorts(spec.inputs(), "inputs.", &out.inputs));
  POTOK_RETURN_IF_ERROR(ReadPorts(spec.outputs(), "outputs.", &out.outputs));
  out.steps.reserve(static_cast<std::size_t>(spec.steps_size()));
  for (const v1::Step& step : spec.steps()) {
    const absl::Status status = Read(step, &out.steps.emplace_back());
    if (!status.ok()) return InStep(step.name(), status);
  }
  const v1::Settings& settings = spec.settings();
  out.settings.default_compute = settings.default_compute();
  out.settings.default_datastore = settings.default_datastore();
  out.settings.continue_on_step_failure =
      !settings.has_continue_on_step_failure() || settings.continue_on_step_failure();
  out.settings.force_rerun = settings.force_rerun();
  out.settings.retention_seconds = settings.retention_seconds();
  out.settings.max_running_steps = settings.max_running_steps();
  return out;
}

}  // namespace potok
