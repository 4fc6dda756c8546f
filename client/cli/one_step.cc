#include "client/cli/one_step.h"

#include <filesystem>

#include "absl/strings/numbers.h"
#include "client/cli/text/printable.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

namespace fs = std::filesystem;

absl::StatusOr<std::pair<std::string, std::string>> NameAndValue(const std::string& option,
                                                                 const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    return absl::InvalidArgumentError(fmt::format("{} {}: write NAME=VALUE", option, text));
  }
  return std::make_pair(text.substr(0, equals), text.substr(equals + 1));
}

std::string AbsolutePath(const std::string& path, const std::string& working_folder) {
  return (fs::path(working_folder) / path).lexically_normal().string();
}

absl::StatusOr<Input> InputOf(const std::string& text, const std::string& working_folder) {
  POTOK_ASSIGN_OR_RETURN(const auto pair, NameAndValue("--input", text));
  const std::string& value = pair.second;
  Input input;
  input.name = pair.first;
  if (value.find("://") != std::string::npos) {
    input.type = ValueType::kUriFolder;
    input.value = UriValue{value};
    return input;
  }
  std::string path = AbsolutePath(value, working_folder);
  if (path.size() > 1 && path.back() == '/') path.pop_back();
  if (!value.empty() && fs::exists(path)) {
    input.type = fs::is_directory(path) ? ValueType::kUriFolder : ValueType::kUriFile;
    input.value = LocalPath{path};
    return input;
  }
  // What looks like a path is one: a typing error must not become a text.
  if (value.find('/') != std::string::npos || value.rfind('.', 0) == 0) {
    return absl::InvalidArgumentError(
        fmt::format("--input {}: there is no file or folder {}", text, path));
  }
  input.type = ValueType::kString;
  input.value = TextValue{value};
  return input;
}

absl::StatusOr<Resources> ResourcesOf(const OneStepOptions& options) {
  Resources resources;
  if (!options.memory.empty()) {
    POTOK_ASSIGN_OR_RETURN(resources.memory_bytes, ParseBytes(options.memory));
  }
  if (!options.cpus.empty()) {
    POTOK_ASSIGN_OR_RETURN(resources.cpu_millis, ParseCpuMillis(options.cpus));
  }
  if (!options.gpus.empty()) {
    POTOK_ASSIGN_OR_RETURN(resources.gpu_millis, ParseGpuMillis(options.gpus));
  }
  if (!options.disk.empty()) {
    POTOK_ASSIGN_OR_RETURN(resources.disk_bytes, ParseBytes(options.disk));
  }
  for (const std::string& text : options.named) {
    POTOK_ASSIGN_OR_RETURN(const auto pair, NameAndValue("--resource", text));
    std::int64_t count = 0;
    if (!absl::SimpleAtoi(pair.second, &count) || count < 1) {
      return absl::InvalidArgumentError(
          fmt::format("--resource {}: write NAME=COUNT, as fpga=1", text));
    }
    resources.named[pair.first] = count;
  }
  return resources;
}

}  // namespace

absl::StatusOr<PipelineSpec> OneStepSpec(const OneStepOptions& options,
                                         const std::string& working_folder) {
  PipelineSpec spec;
  spec.is_pipeline = false;
  spec.name = options.name;
  spec.display_name = fs::path(options.command.front()).filename().string();
  spec.experiment_name = fs::path(working_folder).filename().string();
  if (spec.experiment_name.empty()) spec.experiment_name = "Default";
  Step step;
  step.name = "main";
  step.command = ShellCommandOf(options.command);
  step.compute = options.compute;
  step.timeout_seconds = options.timeout_seconds;
  POTOK_ASSIGN_OR_RETURN(step.resources, ResourcesOf(options));
  step.gpu_models = options.gpu_models;
  if (!options.gpu_memory.empty()) {
    POTOK_ASSIGN_OR_RETURN(step.gpu_memory_bytes, ParseBytes(options.gpu_memory));
  }
  step.label_expression = options.labels;
  for (const std::string& text : options.inputs) {
    POTOK_ASSIGN_OR_RETURN(Input input, InputOf(text, working_folder));
    step.inputs.push_back(std::move(input));
  }
  for (const std::string& name : options.outputs) {
    Output output;
    output.name = name;
    step.outputs.push_back(std::move(output));
  }
  for (const std::string& text : options.environment_variables) {
    POTOK_ASSIGN_OR_RETURN(const auto pair, NameAndValue("--env", text));
    step.environment_variables[pair.first] = pair.second;
  }
  if (!options.code.empty()) {
    const std::string folder = AbsolutePath(options.code, working_folder);
    if (!fs::is_directory(folder)) {
      return absl::InvalidArgumentError(
          fmt::format("--code {}: there is no folder {}", options.code, folder));
    }
    step.code = LocalCode{folder, {}};
  }
  spec.steps.push_back(std::move(step));
  return spec;
}

}  // namespace potok::client
