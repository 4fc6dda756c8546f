#include "common/rpc/step_convert.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "common/base/check.h"
#include "common/base/status_macros.h"
#include "common/rpc/control_convert.h"
#include "common/rpc/pipeline_convert.h"
#include "common/rpc/port_convert.h"

namespace potok {

namespace {

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
  POTOK_RETURN_IF_ERROR(ReadPorts(step.inputs(), &out->inputs));
  POTOK_RETURN_IF_ERROR(ReadPorts(step.outputs(), &out->outputs));
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

v1::Distribution ToProto(const Distribution& distribution) {
  v1::Distribution out;
  out.set_type(distribution.type);
  out.set_process_count_per_instance(distribution.process_count_per_instance);
  out.mutable_properties()->insert(distribution.properties.begin(), distribution.properties.end());
  return out;
}

}  // namespace potok
