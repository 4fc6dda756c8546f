#include "client/frontend/azureml/job_reader.h"

#include <filesystem>
#include <system_error>
#include <variant>

#include "client/frontend/azureml/component.h"
#include "client/frontend/azureml/port.h"
#include "client/frontend/azureml/reference.h"
#include "client/frontend/azureml/step_reader.h"
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
  if (spec.experiment_name.empty()) {
    std::error_code error;
    spec.experiment_name = std::filesystem::current_path(error).filename().string();
  }
  spec.tags = fields->Texts("tags", Fields::Strictness::kTextsOnly);
  spec.properties = fields->Texts("properties", Fields::Strictness::kTextsOnly);
}

void RefuseHook(const YamlEntry* hook, Reading* reading) {
  if (hook == nullptr || hook->value->IsNull()) return;
  reading->reporter.Error(
      hook->at,
      fmt::format("settings.{} is not supported yet; make it an ordinary node{}",
                  hook->key,
                  hook->key == "on_init" ? ", and name it in depends_on of the others" : ""));
}

void ReadSettings(Fields* job, Reading* reading) {
  const YamlNode* map = job->Map("settings");
  Fields fields(map, "settings", &reading->reporter, ResolverOf(reading));
  Settings& settings = reading->spec.settings;
  settings.default_compute = ResourceName(fields.Text("default_compute"));
  if (settings.default_compute.empty()) {
    settings.default_compute = ResourceName(job->Text("compute"));
  } else {
    job->Ignore({"compute"});
  }
  settings.default_datastore = ResourceName(fields.Text("default_datastore"));
  settings.continue_on_step_failure = fields.Flag("continue_on_step_failure").value_or(true);
  settings.force_rerun = fields.Flag("force_rerun").value_or(false);
  if (map == nullptr) return;
  RefuseHook(map->Find("on_init"), reading);
  RefuseHook(map->Find("on_finalize"), reading);
}

void ReadInputs(Fields* fields, const PortContext& context, Reading* reading) {
  const YamlNode* inputs = fields->Map("inputs");
  if (inputs == nullptr) return;
  for (const YamlEntry& entry : inputs->entries) {
    GivenInput given = ReadGivenInput(entry, nullptr, context);
    if (!given.is_typed) reading->untyped_job_inputs.insert(entry.key);
    const auto* text = std::get_if<TextValue>(&given.input.value);
    if (text != nullptr && text->text.find("${{") == std::string::npos) {
      reading->literals[entry.key] = text->text;
    }
    reading->spec.inputs.push_back(std::move(given.input));
  }
}

void ReadOutputs(Fields* fields, const PortContext& context, Reading* reading) {
  const YamlNode* outputs = fields->Map("outputs");
  if (outputs == nullptr) return;
  for (const YamlEntry& entry : outputs->entries) {
    GivenOutput given = ReadGivenOutput(entry, nullptr, context);
    if (!given.is_typed) reading->untyped_job_outputs.insert(entry.key);
    reading->spec.outputs.push_back(std::move(given.output));
  }
}

void ReadPipeline(Fields* fields, const Origin& origin, Reading* reading) {
  const PortContext context{reading, origin, "the pipeline", "", Severity::kError, false};
  ReadInputs(fields, context, reading);
  ReadOutputs(fields, context, reading);
  if (reading->reporter.errors() != 0) reading->is_whole = false;
  ReadSettings(fields, reading);
  const YamlNode* jobs = fields->Map("jobs");
  if (const YamlNode* component = fields->Value("component")) {
    reading->reporter.Error(
        component->at,
        jobs != nullptr
            ? "the pipeline has both jobs and component; keep jobs"
            : "a pipeline component as a job is not supported yet; write its nodes under jobs");
  } else if (jobs == nullptr && fields->Value("jobs") == nullptr) {
    reading->reporter.Error(fields->At("jobs"), "the pipeline has no jobs; write its nodes there");
  }
  if (jobs == nullptr) {
    reading->is_whole = false;
  } else {
    ReadSteps(*jobs, origin, reading);
  }
}

void ReadCommandJob(Fields* fields, const Origin& origin, Reading* reading) {
  reading->spec.is_pipeline = false;
  ReadStandaloneStep(fields, origin, reading);
  Step& step = reading->spec.steps.back();
  step.display_name = reading->spec.display_name;
  step.description = reading->spec.description;
  fields->Map("queue_settings");
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
  if (const std::string refusal = Refusal(type); !is_pipeline && !refusal.empty()) {
    reading->reporter.Error(fields.At("type"),
                            fmt::format("the job is of type '{}'; {}", type, refusal));
    reading->is_whole = false;
    return;
  }
  if (type.empty() && root.Find("jobs") != nullptr) {
    reading->reporter.Error(root.Find("jobs")->at,
                            "the file has jobs but no type; write type: pipeline at its top");
    reading->is_whole = false;
    return;
  }
  reading->sources.SetRoot(&root);
  ReadDescription(&fields, reading);
  if (is_pipeline) {
    ReadPipeline(&fields, origin, reading);
  } else {
    ReadCommandJob(&fields, origin, reading);
  }
  IgnoreJobKeys(&fields);
  fields.ReportUnknown(Severity::kError);
}

}  // namespace potok::client
