#include "server/domain/fingerprint.h"

#include <algorithm>
#include <utility>

#include "common/base/digest.h"
#include "common/base/overloaded.h"
#include "common/pipeline/control.h"
#include "fmt/format.h"

namespace potok::server {

namespace {

using Kind = FingerprintField::Kind;

constexpr char kVersion[] = "potok-fingerprint-1";

FingerprintField OfArtifact(std::string name, const Artifact& artifact) {
  if (artifact.is_folder) return {std::move(name), Kind::kFolder, artifact.digest.Hex(), ""};
  return {std::move(name), Kind::kFile, artifact.digest.Hex(), artifact.file_name};
}

// What makes an input's content another than its bytes say; the other modes only say how it gets
// there.
const char* ViewOf(Mode mode) {
  return mode == Mode::kEvalMount || mode == Mode::kEvalDownload ? " evaluated" : "";
}

void AddInputs(const Step& step,
               const std::vector<OrderInput>& inputs,
               std::vector<FingerprintField>* fields) {
  std::vector<const OrderInput*> sorted;
  for (const OrderInput& input : inputs) {
    const std::string& name = step.inputs[input.input].name;
    if (std::ranges::find(step.reuse.ignore_inputs, name) != step.reuse.ignore_inputs.end())
      continue;
    sorted.push_back(&input);
  }
  std::ranges::sort(sorted, [&](const OrderInput* a, const OrderInput* b) {
    return step.inputs[a->input].name < step.inputs[b->input].name;
  });
  for (const OrderInput* input : sorted) {
    const Input& port = step.inputs[input->input];
    std::string name = "input " + port.name + ViewOf(port.mode);
    if (const auto* artifact = std::get_if<Artifact>(&input->value)) {
      fields->push_back(OfArtifact(std::move(name), *artifact));
    } else {
      fields->push_back({std::move(name), Kind::kText, std::get<std::string>(input->value), ""});
    }
  }
}

void AddOutputs(const Step& step, std::vector<FingerprintField>* fields) {
  std::vector<const Output*> sorted;
  for (const Output& output : step.outputs) sorted.push_back(&output);
  std::ranges::sort(sorted, {}, [](const Output* output) { return output->name; });
  for (const Output* output : sorted) {
    fields->push_back({"output " + output->name, Kind::kText, NameOf(output->type), ""});
  }
}

void AddDistribution(const Step& step, std::vector<FingerprintField>* fields) {
  if (step.instance_count > 1) {
    fields->push_back({"instance_count", Kind::kText, std::to_string(step.instance_count), ""});
  }
  const Distribution& distribution = step.distribution;
  if (distribution.type.empty()) return;
  fields->push_back({"distribution", Kind::kText, distribution.type, ""});
  fields->push_back({"distribution process_count_per_instance",
                     Kind::kText,
                     std::to_string(distribution.process_count_per_instance),
                     ""});
  for (const auto& [name, value] : distribution.properties) {
    fields->push_back({"distribution " + name, Kind::kText, value, ""});
  }
}

// How results are made of mini-batches; not how often or how long one is tried.
void AddParallel(const Parallel& parallel, std::vector<FingerprintField>* fields) {
  const auto add = [&](const char* name, std::string value) {
    fields->push_back({fmt::format("task {}", name), Kind::kText, std::move(value), ""});
  };
  add("entry_script", parallel.entry_script);
  add("program_arguments", parallel.program_arguments);
  add("input_data", parallel.input_data);
  add("append_row_to", parallel.append_row_to);
  add("mini_batch_size", parallel.mini_batch_size);
  for (const std::string& key : parallel.partition_keys) add("partition_key", key);
  add("mini_batch_error_threshold", std::to_string(parallel.mini_batch_error_threshold));
  add("error_threshold", std::to_string(parallel.error_threshold));
}

const Parallel* ParallelOf(const Step& step) {
  return step.control == nullptr ? nullptr : std::get_if<Parallel>(&step.control->kind);
}

// Numbers are 8 bytes, big-endian.
void Append(std::uint64_t number, std::string* bytes) {
  for (int shift = 56; shift >= 0; shift -= 8) bytes->push_back(static_cast<char>(number >> shift));
}
void Append(const std::string& text, std::string* bytes) {
  Append(text.size(), bytes);
  bytes->append(text);
}

std::uint64_t FirstOf(const std::array<std::uint8_t, 32>& hash) {
  std::uint64_t first = 0;
  for (std::size_t i = 0; i < 8; ++i) first = first << 8 | hash[i];
  return first;
}

}  // namespace

std::vector<FingerprintField> FieldsOf(const Step& step, const std::vector<OrderInput>& inputs) {
  std::vector<FingerprintField> fields;
  fields.reserve(8 + inputs.size() + step.outputs.size() + step.environment_variables.size());
  if (const Parallel* parallel = ParallelOf(step)) {
    AddParallel(*parallel, &fields);
  } else {
    fields.push_back({"command", Kind::kText, step.command, ""});
  }
  if (const auto* code = std::get_if<Artifact>(&step.code)) {
    fields.push_back(OfArtifact("code", *code));
  }
  // What it is; or how it is called, where nobody said what it is.
  const bool is_defined = !step.environment_definition.empty();
  fields.push_back({"environment",
                    Kind::kText,
                    is_defined ? step.environment_definition : step.environment,
                    ""});
  for (const auto& [name, value] : step.environment_variables) {
    fields.push_back({"variable " + name, Kind::kText, value, ""});
  }
  AddInputs(step, inputs, &fields);
  AddOutputs(step, &fields);
  AddDistribution(step, &fields);
  if (!step.reuse.salt.empty()) fields.push_back({"salt", Kind::kText, step.reuse.salt, ""});
  return fields;
}

Fingerprint FingerprintOf(const Step& step, const std::vector<OrderInput>& inputs) {
  std::string bytes;
  bytes.reserve(512);
  Append(kVersion, &bytes);
  for (const FingerprintField& field : FieldsOf(step, inputs)) {
    Append(field.name, &bytes);
    Append(static_cast<std::uint64_t>(field.kind), &bytes);
    Append(field.value, &bytes);
    Append(field.detail, &bytes);
  }
  return DigestOf(bytes).sha256;
}

std::uint64_t PrefixOf(const Fingerprint& fingerprint) {
  return FirstOf(fingerprint);
}

std::uint64_t KinOf(const Step& step, const std::string& name) {
  std::string bytes;
  if (!step.component.empty()) {
    Append("component", &bytes);
    Append(step.component, &bytes);
  } else {
    std::string kind;  // without the numbers of items
    bool inside = false;
    for (const char c : name) {
      inside = c == '[' || (inside && c != ']');
      if (!inside && c != ']') kind += c;
    }
    Append("step", &bytes);
    Append(kind, &bytes);
  }
  return FirstOf(DigestOf(bytes).sha256);
}

bool IsReusable(const Step& step) {
  const bool runs = step.control == nullptr || ParallelOf(step) != nullptr || IsGang(step);
  return runs && step.deterministic && step.reuse.enabled;
}

bool IsForced(const PipelineSpec& spec, const Step& step) {
  return spec.settings.force_rerun || !step.reuse.read;
}

absl::Duration MaxAgeOf(const Step& step) {
  return step.reuse.max_age_seconds > 0 ? absl::Seconds(step.reuse.max_age_seconds)
                                        : absl::InfiniteDuration();
}

bool HasDestinations(const PipelineSpec& spec, const Step& step) {
  return std::ranges::any_of(step.outputs, [&](const Output& output) {
    if (!output.path.empty() || !output.asset_name.empty()) return true;
    if (output.promoted_to.empty()) return false;
    const auto promoted = std::ranges::find(spec.outputs, output.promoted_to, &Output::name);
    return promoted != spec.outputs.end() &&
           (!promoted->path.empty() || !promoted->asset_name.empty());
  });
}

}  // namespace potok::server
