#include "client/cli/show/job_file.h"

#include <vector>

#include "client/cli/show/job_file_fields.h"
#include "client/cli/text/value.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

// What the component of a node is: everything that is not bound or chosen by the node.
Object ComponentObject(const Step& step) {
  Object component = {{"type", "command"}};
  AddText("name", step.component, &component);
  AddText("version", step.component_version, &component);
  if (!step.deterministic) component.emplace_back("is_deterministic", false);
  AddText("command", step.command, &component);
  AddCode(step.code, &component);
  Object inputs;
  for (const Input& input : step.inputs) inputs.emplace_back(input.name, DeclaredInput(input));
  AddObject("inputs", std::move(inputs), &component);
  Object outputs;
  for (const Output& output : step.outputs) {
    outputs.emplace_back(output.name, DeclaredOutput(output));
  }
  AddObject("outputs", std::move(outputs), &component);
  return component;
}

absl::StatusOr<Object> NodeObject(const Step& step) {
  if (step.control != nullptr) {
    return absl::UnimplementedError(
        fmt::format("the step {} is no command, and has no form in such a file yet; `potok job "
                    "clone --submit` makes the run again as it is",
                    step.name));
  }
  Object node = {{"type", "command"}};
  AddText("display_name", step.display_name, &node);
  AddText("description", step.description, &node);
  AddTexts("tags", step.tags, &node);
  AddStrings("depends_on", step.depends_on, &node);
  AddText("when", step.when, &node);
  Object inputs;
  for (const Input& input : step.inputs) {
    if (Value bound = BoundInput(input); !bound.IsNull()) {
      inputs.emplace_back(input.name, std::move(bound));
    }
  }
  AddObject("inputs", std::move(inputs), &node);
  Object outputs;
  for (const Output& output : step.outputs) {
    if (Value given = GivenOutput(output); !given.IsNull()) {
      outputs.emplace_back(output.name, std::move(given));
    }
  }
  AddObject("outputs", std::move(outputs), &node);
  POTOK_RETURN_IF_ERROR(AddRunSettings(step, &node));
  node.emplace_back("component", ComponentObject(step));
  return node;
}

void AddJobPorts(const std::vector<Input>& inputs,
                 const std::vector<Output>& outputs,
                 Object* job) {
  Object in;
  for (const Input& input : inputs) in.emplace_back(input.name, WholeInput(input));
  AddObject("inputs", std::move(in), job);
  Object out;
  for (const Output& output : outputs) out.emplace_back(output.name, WholeOutput(output));
  AddObject("outputs", std::move(out), job);
}

Object SettingsOf(const PipelineSpec& spec) {
  Object settings;
  AddText("default_compute", spec.settings.default_compute, &settings);
  AddText("default_datastore", spec.settings.default_datastore, &settings);
  if (!spec.settings.continue_on_step_failure) {
    settings.emplace_back("continue_on_step_failure", false);
  }
  if (spec.settings.force_rerun) settings.emplace_back("force_rerun", true);
  for (const Step& step : spec.steps) {
    if (step.finalizes) settings.emplace_back("on_finalize", step.name);
  }
  return settings;
}

absl::Status AddPipeline(const PipelineSpec& spec, Object* job) {
  AddJobPorts(spec.inputs, spec.outputs, job);
  AddObject("settings", SettingsOf(spec), job);
  Object jobs;
  for (const Step& step : spec.steps) {
    POTOK_ASSIGN_OR_RETURN(Object node, NodeObject(step));
    jobs.emplace_back(step.name, std::move(node));
  }
  job->emplace_back("jobs", std::move(jobs));
  return absl::OkStatus();
}

absl::Status AddStandalone(const PipelineSpec& spec, Object* job) {
  if (spec.steps.size() != 1 || spec.steps.front().control != nullptr) {
    return absl::UnimplementedError(
        "the job is no single command, and has no form in such a file yet; `potok job clone "
        "--submit` makes the run again as it is");
  }
  const Step& step = spec.steps.front();
  AddText("command", step.command, job);
  AddCode(step.code, job);
  AddJobPorts(step.inputs, step.outputs, job);
  return AddRunSettings(step, job);
}

}  // namespace

absl::StatusOr<std::string> JobFile(const PipelineSpec& spec) {
  Object job = {{"type", spec.is_pipeline ? "pipeline" : "command"}};
  AddText("display_name", spec.display_name, &job);
  AddText("description", spec.description, &job);
  AddText("experiment_name", spec.experiment_name, &job);
  AddTexts("tags", spec.tags, &job);
  AddTexts("properties", spec.properties, &job);
  POTOK_RETURN_IF_ERROR(spec.is_pipeline ? AddPipeline(spec, &job) : AddStandalone(spec, &job));
  return ToYaml(Value(std::move(job)), YamlStyle{/*blocks=*/true});
}

}  // namespace potok::client
