#include "agent/domain/step_command.h"

#include "agent/domain/distribution.h"
#include "agent/domain/simple_command.h"
#include "common/base/status_macros.h"
#include "common/pipeline/command.h"
#include "common/pipeline/parallel.h"
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace potok::agent {
namespace {

using Environment = std::map<std::string, std::string>;

std::string ValueOf(const AttemptInput& input, const AttemptPaths& paths) {
  const std::string* text = std::get_if<std::string>(&input.value);
  return text != nullptr ? *text : paths.Input(input);
}

bool IsLoopback(const std::string& uri) {
  return uri.rfind("http://127.", 0) == 0 || uri.rfind("http://localhost:", 0) == 0 ||
         uri.rfind("http://[::1]:", 0) == 0;
}

// Azure ML's variables.
void AddAzureVariables(const AttemptOrder& order, const AttemptPaths& paths, Environment& to) {
  to["AZUREML_RUN_ID"] = order.job_name;
  to["AZUREML_ROOT_RUN_ID"] = order.run;
  to["AZUREML_EXPERIMENT_NAME"] = order.experiment_name;
  to["AZUREML_DEFAULT_DATASTORE"] = "workspaceblobstore";
  for (const AttemptInput& input : order.inputs) {
    to["AZURE_ML_INPUT_" + input.name] = ValueOf(input, paths);
  }
  for (const Output& output : order.outputs) {
    to["AZURE_ML_OUTPUT_" + output.name] = paths.OutputPath(output);
  }
}

// MLflow's variables: all of them, or none. A step that names a server of its own must not look for
// our run there, nor give it our token; and without a server MLflow keeps files, in which there is
// no such run.
void AddTracking(const AttemptOrder& order, const StepSurroundings& surroundings, Environment& to) {
  const Tracking& tracking = order.tracking;
  const Environment& own = order.environment_variables;
  if (tracking.uri.empty() || own.contains("MLFLOW_TRACKING_URI")) return;
  if (IsLoopback(tracking.uri) && !surroundings.is_servers_machine) return;
  to["MLFLOW_TRACKING_URI"] = tracking.uri;
  to["MLFLOW_TRACKING_TOKEN"] = tracking.token;
  to["MLFLOW_RUN_ID"] = tracking.run_id;
  // MLflow refuses a name and an id of two experiments.
  if (!own.contains("MLFLOW_EXPERIMENT_NAME")) to["MLFLOW_EXPERIMENT_ID"] = tracking.experiment_id;
  to["MLFLOW_EXPERIMENT_NAME"] = tracking.experiment_id;
}

// Last, since the stand-in gives way to an mlflow that Python finds elsewhere.
void AddMlflowStandIn(const StepSurroundings& surroundings, Environment& to) {
  if (surroundings.mlflow_standin.empty()) return;
  std::string& path = to["PYTHONPATH"];
  path += (path.empty() ? "" : ":") + surroundings.mlflow_standin;
}

// What a step cannot change: which attempt it is, and which GPUs are its own.
void AddPotokVariables(const AttemptOrder& order,
                       const StepSurroundings& surroundings,
                       Environment& to) {
  to["POTOK_RUN"] = order.run;
  to["POTOK_STEP"] = order.step;
  to["POTOK_ATTEMPT"] = std::to_string(order.key.attempt);
  to["POTOK_FENCE"] = order.fence.empty() ? ToString(order.key) : order.fence;
  to["POTOK_MACHINE"] = surroundings.machine;
  if (!surroundings.python.empty()) to[kPythonVariable] = surroundings.python;
  if (!surroundings.has_gpus && order.gpu_indices.empty()) return;
  to["CUDA_VISIBLE_DEVICES"] = fmt::format("{}", fmt::join(order.gpu_indices, ","));
  // The indices are NVML's, which counts by bus; CUDA by itself counts the fastest first.
  to["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID";
}

absl::StatusOr<ShellCommand> Render(const AttemptOrder& order, const AttemptPaths& paths) {
  std::map<std::string, std::string> inputs;
  std::map<std::string, std::string> outputs;
  for (const AttemptInput& input : order.inputs) inputs[input.name] = ValueOf(input, paths);
  for (const Output& output : order.outputs) outputs[output.name] = paths.OutputPath(output);
  return RenderForShell(order.command, inputs, outputs);
}

// The command line of a command that needs no shell, if this is one.
std::optional<std::vector<std::string>> DirectArguments(const AttemptOrder& order,
                                                        const std::string& path,
                                                        const FindProgram& find_program) {
  std::optional<std::vector<std::string>> words = PlainWords(order.command);
  if (!words) return std::nullopt;
  std::optional<std::string> program = find_program(words->front(), path);
  if (!program) return std::nullopt;
  words->front() = *std::move(program);
  return words;
}

}  // namespace

Environment StepEnvironment(const AttemptOrder& order,
                            const AttemptPaths& paths,
                            const StepSurroundings& surroundings) {
  Environment environment{{"LANG", "C.UTF-8"}, {"TMPDIR", paths.temporary()}};
  if (!surroundings.is_image) {
    environment.insert({{"PATH", surroundings.path},
                        {"HOME", surroundings.home},
                        {"USER", surroundings.user},
                        {"LOGNAME", surroundings.user}});
  }
  AddAzureVariables(order, paths, environment);
  AddTracking(order, surroundings, environment);
  AddDistribution(order, environment);
  for (const auto& [name, value] : order.environment_variables) environment[name] = value;
  AddMlflowStandIn(surroundings, environment);
  AddPotokVariables(order, surroundings, environment);
  return environment;
}

absl::StatusOr<StepCommand> RenderStep(const AttemptOrder& order,
                                       const AttemptPaths& paths,
                                       const StepSurroundings& surroundings,
                                       const FindProgram& find_program) {
  StepCommand step;
  step.environment = StepEnvironment(order, paths, surroundings);
  const bool is_launched = NeedsLauncher(order);
  if (is_launched && surroundings.python.empty()) {
    return absl::FailedPreconditionError(
        "this agent was installed without its Python, which starts several processes of a step");
  }
  const auto path = step.environment.find("PATH");
  auto direct = is_launched
                    ? std::nullopt
                    : DirectArguments(
                          order, path == step.environment.end() ? "" : path->second, find_program);
  if (direct) {
    step.argv = *std::move(direct);
    return step;
  }
  POTOK_ASSIGN_OR_RETURN(ShellCommand shell, Render(order, paths));
  step.argv = {"/bin/bash", "--noprofile", "--norc", paths.script()};
  if (is_launched) {
    const std::vector<std::string> launcher = {
        "/usr/bin/env", "python3", surroundings.python + "/potok_ranks"};
    step.argv.insert(step.argv.begin(), launcher.begin(), launcher.end());
  }
  step.environment.merge(shell.environment);
  step.script = std::move(shell.script);
  return step;
}

}  // namespace potok::agent
