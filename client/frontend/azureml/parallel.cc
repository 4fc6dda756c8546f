#include "client/frontend/azureml/parallel.h"

#include <limits>
#include <memory>

#include "client/frontend/azureml/definition.h"
#include "client/frontend/azureml/policy.h"
#include "common/pipeline/control.h"
#include "common/pipeline/template.h"
#include "fmt/format.h"

namespace potok::client {

namespace {

constexpr std::int64_t kWholeMax = std::numeric_limits<std::int32_t>::max();

void SetWhole(Fields* fields, const char* key, std::int64_t min, std::int32_t* value) {
  if (const auto read = fields->Whole(key, min, kWholeMax)) {
    *value = static_cast<std::int32_t>(*read);
  }
}
void SetText(Fields* fields, const char* key, std::string* value) {
  if (std::string text = fields->RawText(key); !text.empty()) *value = std::move(text);
}

// The port that `${{inputs.X}}` or `${{outputs.X}}` names.
template <class Port>
void SetPort(
    Fields* fields, const char* key, const char* form, Reading* reading, std::string* name) {
  const std::string text = fields->RawText(key);
  if (text.empty()) return;
  const auto parts = ParseTemplate(text, TemplatePlace::kCommand);
  const auto* port = parts.ok() && IsSingleExpression(*parts)
                         ? std::get_if<Port>(&std::get<Expression>(parts->front()))
                         : nullptr;
  if (port != nullptr) {
    *name = port->name;
    return;
  }
  reading->reporter.Error(
      fields->At(key),
      fmt::format("{}: {} must be {}, but is '{}'", fields->what(), key, form, text));
}

void ReadTask(Fields* outer,
              const Origin& origin,
              Severity unknown,
              Reading* reading,
              Parallel* parallel,
              Step* step) {
  const YamlNode* map = outer->Map("task");
  if (map == nullptr) return;
  Fields fields(map, outer->what() + ": task", &reading->reporter, ResolverOf(reading));
  const std::string type = fields.Word("type");
  if (type != "run_function" && type != "function") {
    reading->reporter.Error(
        fields.At("type"),
        fmt::format("{}: type must be run_function, but is '{}'", fields.what(), type));
  }
  ReadCommand(&fields, origin, reading, step);
  ReadRunSettings(&fields, origin, unknown, reading, step);
  SetText(&fields, "entry_script", &parallel->entry_script);
  SetText(&fields, "program_arguments", &parallel->program_arguments);
  SetPort<OwnOutput>(
      &fields, "append_row_to", "${{outputs.NAME}}", reading, &parallel->append_row_to);
  fields.Ignore({"model"});
  fields.ReportUnknown(unknown);
}

void ReadParallelFields(Fields* fields,
                        const Origin& origin,
                        Severity unknown,
                        Reading* reading,
                        Parallel* parallel,
                        Step* step) {
  ReadTask(fields, origin, unknown, reading, parallel, step);
  SetPort<OwnInput>(fields, "input_data", "${{inputs.NAME}}", reading, &parallel->input_data);
  if (std::string size = fields->Text("mini_batch_size"); !size.empty()) {
    parallel->mini_batch_size = std::move(size);
  }
  if (fields->Value("partition_keys") != nullptr) {
    parallel->partition_keys = fields->TextList("partition_keys");
  }
  SetWhole(fields, "mini_batch_error_threshold", -1, &parallel->mini_batch_error_threshold);
  SetWhole(fields, "error_threshold", -1, &parallel->error_threshold);
  SetWhole(fields, "max_concurrency_per_instance", 1, &parallel->max_concurrency_per_instance);
  SetText(fields, "logging_level", &parallel->logging_level);
  const YamlNode* map = fields->Map("retry_settings");
  Fields retries(map, fields->what() + ": retry_settings", &reading->reporter, ResolverOf(reading));
  SetWhole(&retries, "max_retries", 0, &parallel->max_retries);
  if (const auto seconds = ReadDuration(&retries, "timeout", 1, kWholeMax, reading)) {
    parallel->batch_timeout_seconds = static_cast<std::int64_t>(*seconds);
  }
  retries.ReportUnknown(unknown);
}

}  // namespace

bool ReadParallel(const ComponentUse* use, Fields* fields, const PortContext& context, Step* step) {
  Reading* reading = context.reading;
  Parallel parallel;
  if (use != nullptr) {
    Fields component(
        use->source.map, fmt::format("component {}", use->source.shown), &reading->reporter);
    if (component.map() == nullptr) return false;
    const std::size_t errors_before = reading->reporter.errors();
    ReadComponentHead(&component, use->source, step);
    step->deterministic = component.Flag("is_deterministic").value_or(true);
    ReadParallelFields(
        &component, use->source.origin, Severity::kWarning, reading, &parallel, step);
    ReadIncludes(&component, use->source.origin, reading, step);
    ReadRunSettings(&component, use->source.origin, Severity::kWarning, reading, step);
    ReadPolicy(&component, reading, step);
    ReadDeclaredPorts(&component, *use, reading, step);
    IgnoreComponentKeys(&component);
    component.ReportUnknown(Severity::kWarning);
    if (reading->reporter.errors() != errors_before) {
      reading->broken.insert(context.where.substr(0, context.where.size() - 1));
    }
    BindPorts(fields, context, step);
  } else {
    GivePorts(fields, context, step);
  }
  ReadParallelFields(fields, context.origin, context.unknown, reading, &parallel, step);
  if (parallel.entry_script.empty() && use == nullptr && fields->Value("task") == nullptr) {
    reading->reporter.Error(
        fields->map()->at,
        fmt::format("{} has no task; write its entry_script and code there", fields->what()));
    reading->broken.insert(context.where + "task");
  }
  auto control = std::make_shared<Control>();
  control->kind = std::move(parallel);
  step->control = std::move(control);
  return true;
}

}  // namespace potok::client
