#include "agent/runtime/runtimes.h"

#include <variant>

namespace potok::agent {
namespace {

bool IsPrivateCopy(const AttemptInput& input) {
  return input.mode == Mode::kDownload || input.mode == Mode::kEvalDownload ||
         input.mode == Mode::kRwMount;
}

}  // namespace

absl::StatusOr<RuntimeCommand> Runtimes::Make(const AttemptOrder& order,
                                              const AttemptPaths& paths,
                                              StepCommand step,
                                              const StepSurroundings& surroundings) const {
  if (!sandbox_.has_value()) {
    return RuntimeCommand{std::move(step.argv), std::move(step.environment)};
  }
  return InSandbox(*sandbox_, LaunchOf(order, paths, std::move(step), surroundings));
}

RuntimeLaunch LaunchOf(const AttemptOrder& order,
                       const AttemptPaths& paths,
                       StepCommand step,
                       const StepSurroundings& surroundings) {
  RuntimeLaunch launch;
  launch.working_directory = paths.work();
  launch.environment = std::move(step.environment);
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
  launch.gpus = order.gpu_indices;
  return launch;
}

}  // namespace potok::agent
