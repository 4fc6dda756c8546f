#include "client/cli/show/job_file_fields.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "common/base/overloaded.h"
#include "common/pipeline/artifact_reference.h"
#include "common/pipeline/label_expression.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

void AddNumber(const char* key, std::int64_t number, std::int64_t by_default, Object* object) {
  if (number != by_default) object->emplace_back(key, number);
}

// A literal as people write it, where it reads back as the same text.
Value LiteralOf(const std::string& text, ValueType type) {
  if (type == ValueType::kBoolean && (text == "True" || text == "False")) return {text == "True"};
  if (type != ValueType::kInteger && type != ValueType::kNumber) return {text};
  std::int64_t integer = 0;
  if (absl::SimpleAtoi(text, &integer) && std::to_string(integer) == text) return {integer};
  double number = 0;
  if (absl::SimpleAtod(text, &number) && ScalarText(Value(number)) == text) return {number};
  return {text};
}

// {path: ...} or {value: ...}; nothing if there is no value.
void AddBinding(const Input& input, Object* object) {
  std::visit(Overloaded{[](const std::monostate&) {},
                        [&](const TextValue& text) {
                          object->emplace_back(IsPrimitive(input.type) ? "value" : "path",
                                               LiteralOf(text.text, input.type));
                        },
                        [&](const Artifact& artifact) {
                          object->emplace_back("path", ArtifactReference(artifact));
                        },
                        [&](const UriValue& uri) { object->emplace_back("path", uri.uri); },
                        [&](const LocalPath& local) { object->emplace_back("path", local.path); }},
             input.value);
}

void AddBounds(const Input& input, Object* object) {
  if (input.optional) object->emplace_back("optional", true);
  const auto bound = [](double number) {
    return LiteralOf(fmt::format("{}", number), ValueType::kNumber);
  };
  if (input.min) object->emplace_back("min", bound(*input.min));
  if (input.max) object->emplace_back("max", bound(*input.max));
  AddStrings("enum", input.choices, object);
}

void AddDestination(const Output& output, Object* object) {
  AddText("mode", NameOf(output.mode), object);
  AddText("path", output.path, object);
  AddText("name", output.asset_name, object);
  AddText("version", output.asset_version, object);
}

std::string Promotion(const Output& output) {
  return fmt::format("${{{{parent.outputs.{}}}}}", output.promoted_to);
}

// Instead of a destination: the pipeline's output has one.
void AddPromotion(const Output& output, Object* object) {
  std::erase_if(*object, [](const Member& member) { return member.first == "path"; });
  object->emplace_back("path", Promotion(output));
}

void AddFlags(const Output& output, Object* object) {
  if (output.control) object->emplace_back("is_control", true);
  if (output.early_available) object->emplace_back("early_available", true);
}

// The labels of a step that also has an expression over them, as one expression.
std::string WholeExpression(const Step& step) {
  const std::string exact = ExactLabels(step.labels);
  return exact.empty() ? step.label_expression : exact + " && (" + step.label_expression + ")";
}

// Exact: the largest unit of which there is a whole number.
std::string MemoryText(std::int64_t bytes) {
  for (const auto& [shift, unit] :
       {std::pair(30, "GiB"), std::pair(20, "MiB"), std::pair(10, "KiB")}) {
    if (bytes % (std::int64_t{1} << shift) == 0) return fmt::format("{}{}", bytes >> shift, unit);
  }
  return std::to_string(bytes);
}

void AddBytes(const char* key, std::int64_t bytes, Object* object) {
  if (bytes != 0) object->emplace_back(key, MemoryText(bytes));
}

Object ResourcesOf(const Step& step) {
  Object resources;
  AddNumber("instance_count", step.instance_count, 1, &resources);
  AddBytes("memory", step.resources.memory_bytes, &resources);
  if (step.resources.cpu_millis != 0) {
    resources.emplace_back("cpus", fmt::format("{}m", step.resources.cpu_millis));
  }
  if (const std::int32_t millis = step.resources.gpu_millis; millis % kMillisOfGpu == 0) {
    AddNumber("gpus", millis / kMillisOfGpu, 0, &resources);
  } else {
    resources.emplace_back("gpus", millis / 1000.0);
  }
  if (step.gpu_models.size() == 1) {
    AddText("gpu_model", step.gpu_models.front(), &resources);
  } else {
    AddStrings("gpu_model", step.gpu_models, &resources);
  }
  AddBytes("gpu_memory", step.gpu_memory_bytes, &resources);
  AddBytes("disk", step.resources.disk_bytes, &resources);
  Object named;
  for (const auto& [name, count] : step.resources.named) named.emplace_back(name, count);
  AddObject("named", std::move(named), &resources);
  if (step.label_expression.empty()) {
    AddTexts("labels", step.labels, &resources);
  } else {
    AddText("labels", WholeExpression(step), &resources);
  }
  return resources;
}

Object DistributionOf(const Distribution& distribution) {
  Object object;
  AddText("type", distribution.type, &object);
  if (object.empty()) return object;
  AddNumber("process_count_per_instance", distribution.process_count_per_instance, 1, &object);
  for (const auto& [key, text] : distribution.properties) object.emplace_back(key, text);
  return object;
}

Object RetryOf(const RetryPolicy& retry) {
  Object object;
  AddNumber("max_attempts", retry.max_attempts, 1, &object);
  AddStrings("on", retry.on, &object);
  Array codes;
  for (const std::int32_t code : retry.exit_codes) codes.emplace_back(code);
  if (!codes.empty()) object.emplace_back("exit_codes", std::move(codes));
  if (retry.delay_seconds != 0) object.emplace_back("delay", retry.delay_seconds);
  if (retry.backoff != 1) object.emplace_back("backoff", retry.backoff);
  if (retry.memory_factor != 1) object.emplace_back("memory_factor", retry.memory_factor);
  return object;
}

Object ReuseOf(const ReusePolicy& reuse) {
  Object object;
  if (!reuse.enabled) object.emplace_back("enabled", false);
  if (!reuse.read) object.emplace_back("read", false);
  AddNumber("max_age", reuse.max_age_seconds, 0, &object);
  AddText("salt", reuse.salt, &object);
  AddStrings("ignore_inputs", reuse.ignore_inputs, &object);
  return object;
}

// A registered one by its name, which has a version that never changes; else what it is.
absl::Status AddEnvironment(const Step& step, Object* object) {
  if (!step.environment.empty() && step.environment.front() != '{') {
    const bool is_whole = step.environment.rfind("azureml:", 0) == 0;
    object->emplace_back("environment", (is_whole ? "" : "azureml:") + step.environment);
    return absl::OkStatus();
  }
  const std::string& definition =
      step.environment_definition.empty() ? step.environment : step.environment_definition;
  if (definition.empty()) return absl::OkStatus();
  absl::StatusOr<Value> value = ParseJson(definition);
  if (!value.ok()) {
    return absl::InternalError(fmt::format("the environment of step {} cannot be read: {}",
                                           step.name,
                                           std::string(value.status().message())));
  }
  object->emplace_back("environment", *std::move(value));
  return absl::OkStatus();
}

}  // namespace

void AddText(const char* key, const std::string& text, Object* object) {
  if (!text.empty()) object->emplace_back(key, text);
}

void AddTexts(const char* key, const std::map<std::string, std::string>& texts, Object* object) {
  Object values;
  for (const auto& [name, text] : texts) values.emplace_back(name, text);
  AddObject(key, std::move(values), object);
}

void AddStrings(const char* key, const std::vector<std::string>& texts, Object* object) {
  Array values;
  for (const std::string& text : texts) values.emplace_back(text);
  if (!values.empty()) object->emplace_back(key, std::move(values));
}

void AddObject(const char* key, Object value, Object* object) {
  if (!value.empty()) object->emplace_back(key, std::move(value));
}

void AddCode(const Code& code, Object* object) {
  if (const auto* artifact = std::get_if<Artifact>(&code)) {
    object->emplace_back("code", ArtifactReference(*artifact));
  } else if (const auto* local = std::get_if<LocalCode>(&code)) {
    AddText("code", local->path, object);
    AddStrings("additional_includes", local->additional_includes, object);
  }
}

Value DeclaredInput(const Input& input) {
  Object object = {{"type", NameOf(input.type)}};
  AddText("mode", NameOf(input.mode), &object);
  AddText("description", input.description, &object);
  AddBounds(input, &object);
  return Value(std::move(object));
}

Value DeclaredOutput(const Output& output) {
  Object object = {{"type", NameOf(output.type)}};
  AddFlags(output, &object);
  return Value(std::move(object));
}

Value BoundInput(const Input& input) {
  Object object;
  AddBinding(input, &object);
  if (object.empty()) return {};
  return std::move(object.front().second);
}

Value GivenOutput(const Output& output) {
  Object object;
  AddDestination(output, &object);
  if (output.promoted_to.empty()) return object.empty() ? Value() : Value(std::move(object));
  if (object.empty()) return {Promotion(output)};
  AddPromotion(output, &object);
  return Value(std::move(object));
}

Value WholeInput(const Input& input) {
  Object object = {{"type", NameOf(input.type)}};
  AddText("mode", NameOf(input.mode), &object);
  AddText("description", input.description, &object);
  AddBinding(input, &object);
  AddBounds(input, &object);
  return Value(std::move(object));
}

Value WholeOutput(const Output& output) {
  Object object = {{"type", NameOf(output.type)}};
  AddDestination(output, &object);
  if (!output.promoted_to.empty()) AddPromotion(output, &object);
  AddFlags(output, &object);
  return Value(std::move(object));
}

void AddDeclaredPorts(const Step& step, Object* object) {
  Object inputs;
  for (const Input& input : step.inputs) inputs.emplace_back(input.name, DeclaredInput(input));
  AddObject("inputs", std::move(inputs), object);
  Object outputs;
  for (const Output& output : step.outputs) {
    outputs.emplace_back(output.name, DeclaredOutput(output));
  }
  AddObject("outputs", std::move(outputs), object);
}

void AddBoundPorts(const Step& step, Object* object) {
  Object inputs;
  for (const Input& input : step.inputs) {
    if (Value bound = BoundInput(input); !bound.IsNull()) {
      inputs.emplace_back(input.name, std::move(bound));
    }
  }
  AddObject("inputs", std::move(inputs), object);
  Object outputs;
  for (const Output& output : step.outputs) {
    if (Value given = GivenOutput(output); !given.IsNull()) {
      outputs.emplace_back(output.name, std::move(given));
    }
  }
  AddObject("outputs", std::move(outputs), object);
}

void AddWholePorts(const std::vector<Input>& inputs,
                   const std::vector<Output>& outputs,
                   Object* object) {
  Object in;
  for (const Input& input : inputs) in.emplace_back(input.name, WholeInput(input));
  AddObject("inputs", std::move(in), object);
  Object out;
  for (const Output& output : outputs) out.emplace_back(output.name, WholeOutput(output));
  AddObject("outputs", std::move(out), object);
}

absl::Status AddRunSettings(const Step& step, Object* object) {
  AddTexts("environment_variables", step.environment_variables, object);
  AddObject("resources", ResourcesOf(step), object);
  AddObject("distribution", DistributionOf(step.distribution), object);
  Object limits;
  AddNumber("timeout", step.timeout_seconds, 0, &limits);
  AddObject("limits", std::move(limits), object);
  AddNumber("queue_timeout", step.queue_timeout_seconds, 0, object);
  AddNumber("priority", step.priority, 0, object);
  if (step.preemptible.has_value()) object->emplace_back("preemptible", *step.preemptible);
  if (!step.isolation.empty()) object->emplace_back("isolation", step.isolation);
  if (!step.network.empty()) object->emplace_back("network", step.network);
  AddObject("retry", RetryOf(step.retry), object);
  AddObject("reuse", ReuseOf(step.reuse), object);
  return AddEnvironment(step, object);
}

}  // namespace potok::client
