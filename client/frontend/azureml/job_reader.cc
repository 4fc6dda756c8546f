#include "client/frontend/azureml/job_reader.h"

#include <filesystem>
#include <system_error>
#include <variant>

#include "client/frontend/azureml/component.h"
#include "client/frontend/azureml/hooks.h"
#include "client/frontend/azureml/nested.h"
#include "client/frontend/azureml/node_type.h"
#include "client/frontend/azureml/opaque.h"
#include "client/frontend/azureml/port.h"
#include "client/frontend/azureml/reference.h"
#include "client/frontend/azureml/step_reader.h"
#include "common/base/age.h"
#include "common/pipeline/control.h"
#include "common/pipeline/webhooks.h"
#include "fmt/format.h"

namespace potok::client {

namespace {

// Keys that only a dumped job has, and such that change nothing here.
void IgnoreJobKeys(Fields* fields) {
  fields->Ignore({"$schema",
                  "type",
                  "id",
                  "status",
                  "creation_context",
                  "parent_job_name",
                  "log_files",
                  "task_details"});
  fields->Map("services");
  fields->Map("identity");
}

void ReadDescription(Fields* fields, Reading* reading) {
  PipelineSpec& spec = reading->spec;
  spec.name = fields->RawText("name");
  spec.display_name = fields->RawText("display_name");
  spec.description = fields->RawText("description");
  spec.experiment_name = fields->RawText("experiment_name");
  // An empty one is none: `potok job update` can make it so.
  if (fields->Value("experiment_name") == nullptr) {
    std::error_code error;
    spec.experiment_name = std::filesystem::current_path(error).filename().string();
  }
  spec.tags = fields->Texts("tags", Fields::Strictness::kTextsOnly);
  spec.properties = fields->Texts("properties", Fields::Strictness::kTextsOnly);
}

// How long outputs and logs are kept: Potok's own key.
void ReadRetention(const YamlNode* settings, Fields* fields, Reading* reading) {
  const std::string text = fields->Text("retention");
  if (text.empty()) return;
  const absl::StatusOr<absl::Duration> age = ParseAge(text);
  if (!age.ok() || *age < absl::Seconds(1)) {
    reading->reporter.Error(settings->Find("retention")->Best(),
                            "settings.retention: give a length of time such as 30d, 12h or 90m, or "
                            "forever");
    return;
  }
  reading->spec.settings.retention_seconds =
      *age == absl::InfiniteDuration() ? -1 : absl::ToInt64Seconds(*age);
}

// Whom the run notifies: Potok's own keys, kept as properties.
void ReadNotify(Fields* fields, Reading* reading) {
  const std::vector<std::string> urls = fields->TextList("notify");
  const std::string on = fields->Word("notify_on");
  if (urls.empty() && on.empty()) return;
  const absl::Status added = AddWebhooks(urls, on, &reading->spec.properties);
  if (added.ok()) return;
  reading->reporter.Error(fields->At(urls.empty() ? "notify_on" : "notify"),
                          "settings.notify: " + std::string(added.message()));
}

void ReadSettings(Fields* job, Reading* reading) {
  const YamlNode* map = job->Map("settings");
  Fields fields(map, "settings", &reading->reporter, ResolverOf(reading));
  Settings& settings = reading->spec.settings;
  std::string compute = ResourceName(fields.Text("default_compute"));
  if (compute.empty()) {
    compute = ResourceName(job->Text("compute"));
  } else {
    job->Ignore({"compute"});
  }
  // Otherwise it is what the job's component has.
  if (!compute.empty()) settings.default_compute = std::move(compute);
  settings.default_datastore = ResourceName(fields.Text("default_datastore"));
  settings.continue_on_step_failure = fields.Flag("continue_on_step_failure").value_or(true);
  settings.force_rerun = fields.Flag("force_rerun").value_or(false);
  if (const auto steps = fields.Whole("max_running_steps", 1, 1'000'000)) {
    settings.max_running_steps = static_cast<std::int32_t>(*steps);
  }
  if (const auto preemptible = fields.Flag("preemptible")) {
    // Of those that do not say it themselves; their bodies have it of them.
    for (Step& step : reading->scope->steps) {
      if (!step.preemptible.has_value()) step.preemptible = preemptible;
    }
  }
  ReadRetention(map, &fields, reading);
  ReadNotify(&fields, reading);
  if (reading->is_whole) ReadHooks(&fields, reading);
}

void ReadInputs(Fields* fields, const PortContext& context, Reading* reading) {
  const YamlNode* inputs = fields->Map("inputs");
  if (inputs == nullptr) return;
  for (const YamlEntry& entry : inputs->entries) {
    GivenInput given = ReadGivenInput(entry, nullptr, context);
    if (!given.is_typed) reading->scope->untyped_pipeline_inputs.insert(entry.key);
    reading->spec.inputs.push_back(std::move(given.input));
  }
}

void ReadOutputs(Fields* fields, const PortContext& context, Reading* reading) {
  const YamlNode* outputs = fields->Map("outputs");
  if (outputs == nullptr) return;
  for (const YamlEntry& entry : outputs->entries) {
    GivenOutput given = ReadGivenOutput(entry, nullptr, context);
    if (!given.is_typed) reading->scope->untyped_pipeline_outputs.insert(entry.key);
    reading->spec.outputs.push_back(std::move(given.output));
  }
}

// The nodes that the job has under jobs. False if some are missing.
bool ReadJobs(Fields* fields, const Origin& origin, const PortContext& context, Reading* reading) {
  PipelineSpec& spec = reading->spec;
  ReadInputs(fields, context, reading);
  ReadOutputs(fields, context, reading);
  if (reading->reporter.errors() != 0) reading->is_whole = false;
  reading->scope->literals = LiteralsOf(spec.inputs, nullptr);
  const YamlNode* jobs = fields->Map("jobs");
  if (jobs != nullptr) return ReadSteps(*jobs, origin, &spec.inputs, &spec.outputs, reading);
  if (fields->Value("jobs") == nullptr) {
    reading->reporter.Error(fields->At("jobs"), "the pipeline has no jobs; write its nodes there");
  }
  return false;
}

// A pipeline component as the job: what it declares is the job's, and its nodes are the job's own.
bool ReadComponentJob(const YamlNode& component,
                      Fields* fields,
                      const PortContext& context,
                      Reading* reading) {
  const auto source = FindComponent(component, context.origin, context.what, reading);
  if (!source) return false;
  const ComponentUse use{*source, context.what, component.at};
  Step step;
  if (source->is_elsewhere) {
    ReadOpaque("pipeline", &use, fields, context, &step);
    step.name = "main";
    reading->sources.SetOnlyStep(step.name);
    reading->scope->steps.push_back(std::move(step));
    return true;
  }
  if (KindOfType(TypeOfComponent(*source->map)) != NodeKind::kPipeline) {
    reading->reporter.Error(
        component.at,
        fmt::format("component {} is of type '{}'; a pipeline job has a component of type "
                    "pipeline. Make it a node under jobs",
                    source->shown,
                    TypeOfComponent(*source->map)));
    return false;
  }
  if (!ReadPipelineHead(use, reading, &step)) return false;
  BindPorts(fields, context, &step);
  PipelineSpec& spec = reading->spec;
  if (spec.display_name.empty()) spec.display_name = step.display_name;
  if (spec.description.empty()) spec.description = step.description;
  reading->sources.SetComponent(source->map);
  const bool is_whole = ReadPipelineBody(use, "", reading, &step);
  spec.inputs = std::move(step.inputs);
  spec.outputs = std::move(step.outputs);
  if (spec.settings.default_compute.empty()) spec.settings.default_compute = step.compute;
  if (step.control != nullptr) reading->scope->steps = step.control->body;
  return is_whole;
}

void ReadPipeline(Fields* fields, const Origin& origin, Reading* reading) {
  PortContext context{reading, origin, "the pipeline", "", Severity::kError, false};
  context.missing = PortContext::Missing::kLater;
  bool is_whole = true;
  if (const YamlNode* component = fields->Value("component")) {
    if (fields->Value("jobs") != nullptr) {
      reading->reporter.Error(component->at,
                              "the pipeline has both jobs and component; keep one of them");
      is_whole = false;
    } else {
      is_whole = ReadComponentJob(*component, fields, context, reading);
      // Of a component that was not read nobody knows the ports.
      if (!is_whole) fields->Ignore({"inputs", "outputs"});
    }
  } else {
    is_whole = ReadJobs(fields, origin, context, reading);
  }
  if (!is_whole) reading->is_whole = false;
  ReadSettings(fields, reading);
}

void ReadStandaloneJob(const std::string& type,
                       Fields* fields,
                       const Origin& origin,
                       Reading* reading) {
  reading->spec.is_pipeline = false;
  ReadStandaloneStep(type, fields, origin, reading);
  Step& step = reading->scope->steps.back();
  step.display_name = reading->spec.display_name;
  step.description = reading->spec.description;
  fields->Map("queue_settings");
}

// Whether the file is a job at all; else says what it is.
bool CheckType(const YamlNode& root, const std::string& type, Fields* fields, Reading* reading) {
  const NodeKind kind = KindOfType(type);
  if (kind == NodeKind::kUnknown || kind == NodeKind::kIfElse || kind == NodeKind::kDoWhile ||
      kind == NodeKind::kParallelFor || kind == NodeKind::kParallel) {
    reading->reporter.Error(fields->At("type"),
                            fmt::format("the job is of type '{}'; {}",
                                        type,
                                        kind == NodeKind::kUnknown
                                            ? "write command, pipeline or sweep"
                                            : "that is a node; put it under jobs of a pipeline"));
    return false;
  }
  if (type.empty() && root.Find("jobs") != nullptr) {
    reading->reporter.Error(root.Find("jobs")->at,
                            "the file has jobs but no type; write type: pipeline at its top");
    return false;
  }
  return true;
}

}  // namespace

void ReadJob(const YamlNode& root, const Origin& origin, Reading* reading) {
  const std::string type =
      Fields(root.IsMap() ? &root : nullptr, "the job", &reading->reporter).Word("type");
  const bool is_pipeline = type == "pipeline";
  Fields fields(&root,
                is_pipeline ? "the pipeline" : "the job",
                &reading->reporter,
                is_pipeline ? ResolverOf(reading) : nullptr);
  if (fields.map() == nullptr) {
    reading->is_whole = false;
    if (root.IsNull()) {
      reading->reporter.Error(root.at, "the file is empty; write a job");
    }
    return;
  }
  if (!CheckType(root, type, &fields, reading)) {
    reading->is_whole = false;
    return;
  }
  reading->sources.SetRoot(&root);
  ReadDescription(&fields, reading);
  if (is_pipeline) {
    ReadPipeline(&fields, origin, reading);
  } else {
    ReadStandaloneJob(type, &fields, origin, reading);
  }
  IgnoreJobKeys(&fields);
  fields.ReportUnknown(Severity::kError);
}

}  // namespace potok::client
