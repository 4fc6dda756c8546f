#include "agent/runtime/runtimes.h"

#include <utility>

#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::agent {
namespace {

// What Report::runtime of a container begins with.
constexpr const char* kContainerWord = "container ";

bool IsPrivateCopy(const AttemptInput& input) {
  return input.mode == Mode::kDownload || input.mode == Mode::kEvalDownload ||
         input.mode == Mode::kRwMount;
}

}  // namespace

std::vector<std::string> Runtimes::Names() const {
  std::vector<std::string> names;
  if (!settings_.sandbox_always) names.emplace_back("host");
  if (sandbox_.ok()) names.emplace_back("sandbox");
  if (settings_.images_in_containers && images_.ok()) names.emplace_back("container");
  if (settings_.python_is_built && python_ != nullptr) names.emplace_back("python");
  return names;
}

absl::StatusOr<PreparedRuntime> Runtimes::Prepare(const AttemptOrder& order,
                                                  const AttemptPaths& paths,
                                                  const std::function<bool()>& canceled) const {
  PreparedRuntime runtime = PlainRuntime(Choose(order));
  if (runtime.choice.container) {
    if (!images_.ok()) {
      return absl::FailedPreconditionError(
          fmt::format("the environment's image {} cannot be run on this machine: {}",
                      runtime.choice.environment.image,
                      std::string(images_.status().message())));
    }
    POTOK_ASSIGN_OR_RETURN(
        ImageFacts image, (*images_)->Get(runtime.choice.environment.image, paths.log(), canceled));
    runtime.image_id = std::move(image.id);
    runtime.shown = kContainerWord + image.shown;
  } else if (runtime.choice.python && python_ != nullptr) {
    POTOK_ASSIGN_OR_RETURN(PythonEnvironment python,
                           python_->Get(*runtime.choice.environment.python, paths.log(), canceled));
    runtime.python_folder = std::move(python.folder);
    runtime.shown = runtime.choice.sandbox ? python.shown + " in a sandbox" : python.shown;
  }
  return runtime;
}

StepSurroundings Runtimes::SurroundingsIn(const PreparedRuntime& runtime,
                                          StepSurroundings machine) const {
  machine.is_image = runtime.choice.container;
  if (!runtime.python_folder.empty()) {
    machine.path = runtime.python_folder + "/bin:" + machine.path;
  }
  return machine;
}

void Runtimes::Forget(const std::string& attempt, const std::string& shown) const {
  if (images_.ok() && shown.starts_with(kContainerWord)) (*images_)->Remove(attempt);
}

absl::StatusOr<RuntimeCommand> Runtimes::MakeBeside(const AttemptOrder& order,
                                                    const AttemptPaths& paths,
                                                    const std::string& shown,
                                                    const SideWish& wish,
                                                    StepSurroundings machine) const {
  if (shown.starts_with(kContainerWord)) {
    if (images_.ok()) return BesideContainer((*images_)->engine(), paths.work(), wish);
    return absl::FailedPreconditionError("its container's engine is not there any more: " +
                                         std::string(images_.status().message()));
  }
  const std::string python = python_ == nullptr ? "" : python_->FolderOf(shown);
  if (!python.empty()) machine.path = python + "/bin:" + machine.path;
  RuntimeCommand command{wish.argv, StepEnvironment(order, paths, machine)};
  if (!python.empty()) command.environment["VIRTUAL_ENV"] = python;
  if (wish.has_terminal) command.environment["TERM"] = wish.terminal_type;
  return command;
}

absl::StatusOr<RuntimeCommand> Runtimes::Make(const AttemptOrder& order,
                                              const AttemptPaths& paths,
                                              const PreparedRuntime& runtime,
                                              StepCommand step,
                                              const StepSurroundings& surroundings) const {
  if (!runtime.python_folder.empty()) step.environment["VIRTUAL_ENV"] = runtime.python_folder;
  if (runtime.choice.container && images_.ok()) {
    const RuntimeLaunch launch = LaunchOf(order, paths, std::move(step), surroundings);
    POTOK_ASSIGN_OR_RETURN(
        RuntimeCommand command,
        InContainer((*images_)->engine(), runtime.image_id, paths.variables(), launch));
    command.variables = VariablesText(launch.environment);
    return command;
  }
  if (order.isolation == "container" || runtime.choice.container) {
    return absl::FailedPreconditionError(
        fmt::format("the {} asks for a container, and this agent runs none; start it with "
                    "--images=container",
                    order.isolation == "container" ? "step" : "step's pool"));
  }
  if (!runtime.choice.sandbox) {
    return RuntimeCommand{std::move(step.argv), std::move(step.environment)};
  }
  if (!sandbox_.ok()) {
    return absl::FailedPreconditionError(
        fmt::format("the step asks for a sandbox (isolation, or network: none), and this machine "
                    "has none: {}",
                    std::string(sandbox_.status().message())));
  }
  RuntimeLaunch launch = LaunchOf(order, paths, std::move(step), surroundings);
  if (!runtime.python_folder.empty()) launch.read_only.push_back(runtime.python_folder);
  return InSandbox(*sandbox_, launch);
}

RuntimeLaunch LaunchOf(const AttemptOrder& order,
                       const AttemptPaths& paths,
                       StepCommand step,
                       const StepSurroundings& surroundings) {
  RuntimeLaunch launch;
  launch.name = ToString(order.key);
  launch.working_directory = paths.work();
  launch.environment = std::move(step.environment);
  launch.folder = paths.folder;
  if (step.script) launch.read_only.push_back(paths.script());
  if (NeedsStaging(order)) launch.read_only.push_back(paths.inputs());
  if (!surroundings.python.empty()) launch.read_only.push_back(surroundings.python);
  launch.writable = {paths.work(), paths.temporary()};
  if (!order.outputs.empty()) launch.writable.push_back(paths.outputs());
  for (const AttemptInput& input : order.inputs) {
    if (std::holds_alternative<Artifact>(input.value) && IsPrivateCopy(input)) {
      launch.writable.push_back(paths.inputs() + "/" + input.name);
    }
  }
  launch.argv = std::move(step.argv);
  launch.limits = order.resources;
  launch.gpus = order.gpu_indices;
  launch.has_network = order.network != "none";
  return launch;
}

}  // namespace potok::agent
