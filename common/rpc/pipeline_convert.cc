#include "common/rpc/pipeline_convert.h"

#include <string>
#include <utility>

#include "common/base/status_macros.h"
#include "common/rpc/step_convert.h"
#include "fmt/format.h"

namespace potok {

namespace {

// Of a step's port, whose place the message begins with, or of the step itself.
absl::Status InStep(const std::string& name, const absl::Status& status) {
  const std::string message(status.message());
  const bool of_port = message.rfind("inputs.", 0) == 0 || message.rfind("outputs.", 0) == 0;
  return absl::Status(status.code(),
                      fmt::format("jobs.{}{}{}", name, of_port ? "." : ": ", message));
}

}  // namespace

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
  POTOK_RETURN_IF_ERROR(ReadPorts(spec.inputs(), &out.inputs));
  POTOK_RETURN_IF_ERROR(ReadPorts(spec.outputs(), &out.outputs));
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
