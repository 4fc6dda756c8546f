#include "client/cli/show/job_file.h"

#include <utility>
#include <vector>

#include "client/cli/show/job_file_fields.h"
#include "client/cli/show/job_file_kinds.h"
#include "client/cli/show/job_file_nodes.h"
#include "client/cli/text/value.h"
#include "common/base/status_macros.h"
#include "common/pipeline/control.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

std::string RetentionText(std::int64_t seconds) {
  if (seconds == 0) return "";
  if (seconds < 0) return "forever";
  for (const auto& [unit, letter] :
       {std::pair(86400, "d"), std::pair(3600, "h"), std::pair(60, "m")}) {
    if (seconds % unit == 0) return fmt::format("{}{}", seconds / unit, letter);
  }
  return fmt::format("{}s", seconds);
}

Object SettingsOf(const PipelineSpec& spec) {
  Object settings;
  AddText("default_compute", spec.settings.default_compute, &settings);
  AddText("default_datastore", spec.settings.default_datastore, &settings);
  if (!spec.settings.continue_on_step_failure) {
    settings.emplace_back("continue_on_step_failure", false);
  }
  if (spec.settings.force_rerun) settings.emplace_back("force_rerun", true);
  if (spec.settings.max_running_steps > 0) {
    settings.emplace_back("max_running_steps", spec.settings.max_running_steps);
  }
  AddText("retention", RetentionText(spec.settings.retention_seconds), &settings);
  std::vector<std::string> last;
  for (const Step& step : spec.steps) {
    if (step.finalizes) last.push_back(step.name);
  }
  if (last.size() == 1) {
    settings.emplace_back("on_finalize", last.front());
  } else {
    AddStrings("on_finalize", last, &settings);
  }
  return settings;
}

absl::Status AddPipeline(const PipelineSpec& spec, Object* job) {
  AddWholePorts(spec.inputs, spec.outputs, job);
  AddObject("settings", SettingsOf(spec), job);
  POTOK_ASSIGN_OR_RETURN(Object jobs, NodesOf(spec.steps));
  job->emplace_back("jobs", std::move(jobs));
  return absl::OkStatus();
}

absl::Status AddCommandJob(const Step& step, Object* job) {
  AddText("command", step.command, job);
  AddCode(step.code, job);
  AddWholePorts(step.inputs, step.outputs, job);
  AddText("compute", step.compute, job);
  return AddRunSettings(step, job);
}

absl::Status AddStandalone(const PipelineSpec& spec, Object* job) {
  if (spec.steps.size() != 1) {
    return absl::InternalError(
        fmt::format("a job that is no pipeline has {} steps", spec.steps.size()));
  }
  // Its name and description are the job's.
  Step step = spec.steps.front();
  step.display_name = "";
  step.description = "";
  if (step.control == nullptr) return AddCommandJob(step, job);
  POTOK_ASSIGN_OR_RETURN(Object nodes, NodesOf({step}));
  for (const auto& [key, value] : *nodes.front().second.AsObject()) {
    if (key != "type") job->emplace_back(key, value);
  }
  return absl::OkStatus();
}

std::string TypeOf(const PipelineSpec& spec) {
  if (spec.is_pipeline) return "pipeline";
  const Control* control = spec.steps.empty() ? nullptr : spec.steps.front().control.get();
  if (control == nullptr) return "command";
  const auto* opaque = std::get_if<Opaque>(&control->kind);
  return opaque == nullptr ? "sweep" : opaque->type;
}

}  // namespace

absl::StatusOr<std::string> JobFile(const PipelineSpec& spec) {
  Object job = {{"type", TypeOf(spec)}};
  AddText("display_name", spec.display_name, &job);
  AddText("description", spec.description, &job);
  // Left out it would be that of the folder where the file is read.
  job.emplace_back("experiment_name", spec.experiment_name);
  AddTexts("tags", spec.tags, &job);
  AddTexts("properties", spec.properties, &job);
  POTOK_RETURN_IF_ERROR(spec.is_pipeline ? AddPipeline(spec, &job) : AddStandalone(spec, &job));
  return ToYaml(Value(std::move(job)), YamlStyle{/*blocks=*/true});
}

}  // namespace potok::client
