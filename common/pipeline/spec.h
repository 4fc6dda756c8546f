// A pipeline as it is submitted, as plain values. The front end makes it from YAML, the server from
// protobuf; both validate it by the same rules (validate.h). The wire form is
// proto/potok/v1/pipeline.proto; fields mean the same.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/base/digest.h"
#include "common/base/resources.h"

namespace potok {

enum class ValueType {
  kString,
  kNumber,
  kInteger,
  kBoolean,
  kUriFile,
  kUriFolder,
  kMltable,
  kMlflowModel,
  kCustomModel,
  kTritonModel,
};

// True for string, number, integer and boolean: what is passed as text and not as files.
bool IsPrimitive(ValueType type);
// The name as written in YAML: "uri_folder".
const char* NameOf(ValueType type);
std::optional<ValueType> ParseValueType(const std::string& name);

enum class Mode {
  kDefault,  // ro_mount for an input, rw_mount for an output
  kRoMount,
  kDownload,
  kDirect,
  kRwMount,
  kUpload,
  kEvalMount,
  kEvalDownload,
};
const char* NameOf(Mode mode);
std::optional<Mode> ParseMode(const std::string& name);

// A file or folder named by its content; see potok.v1.Artifact.
struct Artifact {
  Digest digest;
  bool is_folder = false;
  std::int64_t total_bytes = 0;
  std::string file_name;
  bool operator==(const Artifact&) const = default;
};

// Text in which ${{...}} is replaced: a literal, one reference, or a concatenation (template.h).
struct TextValue {
  std::string text;
  bool operator==(const TextValue&) const = default;
};
// A reference to data that is fetched or handed over by name: azureml://datastores/...,
// http(s)://...
struct UriValue {
  std::string uri;
  bool operator==(const UriValue&) const = default;
};
// A file or folder of the submitting machine, absolute. Only before upload; the server refuses it.
struct LocalPath {
  std::string path;
  bool operator==(const LocalPath&) const = default;
};
// std::monostate: no value.
using Binding = std::variant<std::monostate, TextValue, Artifact, UriValue, LocalPath>;

struct Input {
  std::string name;
  ValueType type = ValueType::kString;
  Mode mode = Mode::kDefault;
  bool optional = false;
  Binding value;  // the bound value, or else the declared default, or nothing
  std::optional<double> min;
  std::optional<double> max;
  std::vector<std::string> choices;
  std::string description;
  bool operator==(const Input&) const = default;
};

struct Output {
  std::string name;
  ValueType type = ValueType::kUriFolder;
  Mode mode = Mode::kDefault;
  std::string path;         // explicit destination, or empty
  std::string promoted_to;  // pipeline output, or empty
  std::string asset_name;
  std::string asset_version;
  bool control = false;          // of a primitive one: other steps are decided by it (is_control)
  bool early_available = false;  // read and kept: it is available when its step has completed
  bool operator==(const Output&) const = default;
};

struct Distribution {
  std::string type;  // pytorch, mpi, tensorflow, ray; empty: none
  std::int32_t process_count_per_instance = 1;
  std::map<std::string, std::string> properties;
  bool operator==(const Distribution&) const = default;
};

// Code snapshot: nothing, a local folder or file with files merged in (before upload), or an
// artifact.
struct LocalCode {
  std::string path;                              // absolute; empty when there are only includes
  std::vector<std::string> additional_includes;  // absolute
  bool operator==(const LocalCode&) const = default;
};
using Code = std::variant<std::monostate, LocalCode, Artifact>;

// When a step that failed is tried again. Lost machines are the scheduler's own business and not
// counted here.
struct RetryPolicy {
  std::int32_t max_attempts = 1;
  std::vector<std::string> on;  // exit_code, timeout, oom, machine_lost; empty: all of them
  std::vector<std::int32_t> exit_codes;  // with exit_code: only these; empty: all
  double delay_seconds = 0;              // before the second attempt
  double backoff = 1;                    // by which the delay grows with each further one
  // By which the memory grows that the step asks for, with each attempt that ran out of it; 1:
  // stays.
  double memory_factor = 1;
  bool operator==(const RetryPolicy&) const = default;
};

// Whether a step takes the outputs of an earlier equal one instead of running.
struct ReusePolicy {
  bool enabled = true;  // false: neither takes nor offers
  bool read = true;  // false: runs in any case, and offers what it made (force_rerun of one step)
  std::int64_t max_age_seconds = 0;        // of what it takes; 0: any
  std::string salt;                        // part of the fingerprint
  std::vector<std::string> ignore_inputs;  // inputs that are no part of it
  bool operator==(const ReusePolicy&) const = default;
};

struct Control;  // control.h

struct Step {
  std::string name;
  std::string display_name;
  std::string component;
  std::string component_version;
  std::string command;
  Code code;
  std::vector<Input> inputs;
  std::vector<Output> outputs;
  std::map<std::string, std::string> environment_variables;
  std::string environment;
  Resources resources;
  // Of each of its GPUs: one of these models (gpu_model.h; empty: any), and at least this memory.
  std::vector<std::string> gpu_models;
  std::int64_t gpu_memory_bytes = 0;
  std::string compute;
  std::int32_t instance_count = 1;
  Distribution distribution;
  std::int64_t timeout_seconds = 0;
  std::vector<std::string> depends_on;
  // That the machine must carry, and what else must be true of its labels (label_expression.h;
  // empty: nothing). docs/language.md lists the labels that every machine has.
  std::map<std::string, std::string> labels;
  std::string label_expression;
  std::map<std::string, std::string> tags;
  std::string description;
  bool deterministic = true;

  // What the environment is, as canonical text: image, conda packages, build context by digest. The
  // fingerprint reads this and not `environment`, which is how a person calls it.
  std::string environment_definition;
  RetryPolicy retry;
  ReusePolicy reuse;
  std::int64_t queue_timeout_seconds = 0;  // 0: none
  std::int32_t priority = 0;
  // Whether it may be stopped, and run again later, for a team that takes back what it is
  // guaranteed; nothing: as its pool says.
  std::optional<bool> preemptible;
  // How its command runs; not what it makes, so that the fingerprint has neither. "sandbox": where
  // it sees nothing but its own files and the system; empty: as its machine runs commands.
  std::string isolation;
  std::string network;  // "none": it has none; empty: its machine's
  // Whether it runs, once all that it needs has ended: a trigger rule (all_success, all_done,
  // one_failed...) or an expression over states and outputs of other steps; empty: all_success. Its
  // language: docs/language.md.
  std::string when;
  bool finalizes = false;  // on_finalize: runs when all others have ended, whatever came of them
  // What it does instead of a command; null: a command.
  std::shared_ptr<const Control> control;
  bool operator==(const Step&) const = default;  // of controls: the same one
};

struct Settings {
  std::string default_compute;
  std::string default_datastore;
  bool continue_on_step_failure = true;
  bool force_rerun = false;
  // How long outputs and logs are kept after the run has ended; 0: as the server says; -1: for
  // ever.
  std::int64_t retention_seconds = 0;
  std::int32_t max_running_steps = 0;  // that hold a machine at a time; 0: no limit
};

struct PipelineSpec {
  bool is_pipeline = true;
  std::string name;
  std::string display_name;
  std::string description;
  std::string experiment_name;
  std::map<std::string, std::string> tags;
  std::map<std::string, std::string> properties;
  std::vector<Input> inputs;
  std::vector<Output> outputs;
  std::vector<Step> steps;
  Settings settings;
};

}  // namespace potok
