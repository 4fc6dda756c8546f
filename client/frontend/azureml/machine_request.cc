#include "client/frontend/azureml/machine_request.h"

#include <limits>

#include "absl/strings/numbers.h"
#include "common/base/resources.h"
#include "common/pipeline/label_expression.h"
#include "common/pipeline/validate.h"
#include "fmt/format.h"

namespace potok::client {

namespace {

// A field that `parse` reads, into `to`.
template <class T>
void ReadAmount(Fields* fields,
                Reading* reading,
                const std::string& key,
                absl::StatusOr<T> (*parse)(const std::string&),
                T* to) {
  const std::string text = fields->Text(key);
  if (text.empty()) return;
  const absl::StatusOr<T> amount = parse(text);
  if (amount.ok()) {
    *to = *amount;
  } else {
    reading->reporter.Error(
        fields->At(key),
        fmt::format("{}: {}: {}", fields->what(), key, std::string(amount.status().message())));
  }
}

void ReadGpuModels(Fields* fields, Step* step) {
  const YamlNode* value = fields->Value("gpu_model");
  if (value == nullptr) return;
  step->gpu_models.clear();
  if (value->IsList()) {
    step->gpu_models = fields->TextList("gpu_model");
  } else if (const std::string model = fields->Text("gpu_model"); !model.empty()) {
    step->gpu_models.push_back(model);
  }
}

void ReadNamed(Fields* fields, Reading* reading, Resources* resources) {
  for (const auto& [name, text] : fields->Texts("named", Fields::Strictness::kAnyScalar)) {
    std::int64_t count = 0;
    const YamlEntry* entry = fields->map()->Find("named")->value->Find(name);
    if (!IsResourceName(name)) {
      reading->reporter.Error(
          entry->at,
          fmt::format("{}: named: '{}' cannot name a resource; use letters, digits, '_', '.' and "
                      "'-', beginning with a letter (memory, cpus, gpus and disk have their own "
                      "keys)",
                      fields->what(),
                      name));
    } else if (!absl::SimpleAtoi(text, &count) || count < 0 || count > kNamedMax) {
      reading->reporter.Error(
          entry->Best(),
          fmt::format("{}: named.{} must be a whole number from 0 to {}, but is "
                      "'{}'",
                      fields->what(),
                      name,
                      kNamedMax,
                      text));
    } else if (count == 0) {
      resources->named.erase(name);
    } else {
      resources->named[name] = count;
    }
  }
}

// A map of labels, or an expression over labels.
void ReadLabels(Fields* fields, Reading* reading, Step* step) {
  const YamlNode* value = fields->Value("labels");
  if (value == nullptr) return;
  step->label_expression.clear();
  if (!value->IsScalar()) {
    for (auto& [key, text] : fields->Texts("labels", Fields::Strictness::kAnyScalar)) {
      step->labels[key] = text;
    }
    return;
  }
  step->labels.clear();
  const std::string text = fields->Text("labels");
  const absl::Status status = LabelExpression::Parse(text).status();
  if (status.ok()) {
    step->label_expression = text;
    return;
  }
  reading->reporter.Error(
      value->at, fmt::format("{}: labels: {}", fields->what(), std::string(status.message())));
}

}  // namespace

void ReadResources(Fields* outer, Severity unknown, Reading* reading, Step* step) {
  const YamlNode* map = outer->Map("resources");
  if (map == nullptr) return;
  Fields fields(map, outer->what() + ": resources", &reading->reporter, ResolverOf(reading));
  if (const auto count = fields.Whole("instance_count", 1, kMachinesOfStepMax)) {
    step->instance_count = static_cast<std::int32_t>(*count);
  }
  ReadAmount(&fields, reading, "memory", ParseBytes, &step->resources.memory_bytes);
  ReadAmount(&fields, reading, "cpus", ParseCpuMillis, &step->resources.cpu_millis);
  ReadAmount(&fields, reading, "gpus", ParseGpuMillis, &step->resources.gpu_millis);
  ReadGpuModels(&fields, step);
  ReadAmount(&fields, reading, "gpu_memory", ParseBytes, &step->gpu_memory_bytes);
  ReadAmount(&fields, reading, "disk", ParseBytes, &step->resources.disk_bytes);
  ReadNamed(&fields, reading, &step->resources);
  ReadLabels(&fields, reading, step);
  if (const std::string size = fields.Text("shm_size"); !size.empty() && !ParseBytes(size).ok()) {
    reading->reporter.Error(
        fields.At("shm_size"),
        fmt::format("{}: shm_size must be a size such as 2g, but is '{}'", fields.what(), size));
  }
  fields.Ignore({"instance_type", "max_instance_count", "locations", "docker_args", "properties"});
  fields.ReportUnknown(unknown);
}

}  // namespace potok::client
