// What of the runtimes works on this machine, and which of them an attempt gets.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "agent/domain/attempt_paths.h"
#include "agent/domain/order.h"
#include "agent/domain/step_command.h"
#include "agent/runtime/runtime.h"
#include "agent/runtime/sandbox.h"

namespace potok::agent {

// After construction it does not change, and all functions may be called by any thread.
class Runtimes {
 public:
  // All commands run on the machine itself.
  Runtimes() = default;
  // All commands run in sandboxes.
  explicit Runtimes(SandboxView sandbox) : sandbox_(std::move(sandbox)) {}

  // Whether commands run in something that tells their ends in its own way (verdict.h).
  bool contains() const { return sandbox_.has_value(); }

  // The command line that runs the rendered step. Does not block.
  absl::StatusOr<RuntimeCommand> Make(const AttemptOrder& order,
                                      const AttemptPaths& paths,
                                      StepCommand step,
                                      const StepSurroundings& surroundings) const;

 private:
  std::optional<SandboxView> sandbox_;
};

// What the step may touch, as its folders lie (agent/artifacts/step_folders.h): inputs are
// read-only but for private copies; its working directory, outputs and TMPDIR are its own.
RuntimeLaunch LaunchOf(const AttemptOrder& order,
                       const AttemptPaths& paths,
                       StepCommand step,
                       const StepSurroundings& surroundings);

}  // namespace potok::agent
