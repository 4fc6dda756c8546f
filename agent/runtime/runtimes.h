// What of the runtimes works on this machine, and which of them an attempt gets.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/domain/attempt_paths.h"
#include "agent/domain/order.h"
#include "agent/domain/runtime.h"
#include "agent/domain/step_command.h"
#include "agent/runtime/images.h"
#include "agent/runtime/python_environments.h"
#include "agent/runtime/runtime.h"
#include "agent/runtime/sandbox.h"

namespace potok::agent {

// After construction it does not change, and all functions may be called by any thread.
class Runtimes {
 public:
  // Without any: all runs on the machine itself.
  Runtimes() = default;
  explicit Runtimes(RuntimeSettings settings) : settings_(settings) {}

  void UseSandbox(absl::StatusOr<SandboxView> sandbox) { sandbox_ = std::move(sandbox); }

  void UseImages(absl::StatusOr<std::shared_ptr<Images>> images) { images_ = std::move(images); }
  void UsePython(std::shared_ptr<PythonEnvironments> python) { python_ = std::move(python); }

  // For Hello: "host", "sandbox"...
  std::vector<std::string> Names() const;

  RuntimeChoice Choose(const AttemptOrder& order) const { return ChooseRuntime(order, settings_); }

  // Fetches or builds what the choice needs. Blocks, for long. FAILED_PRECONDITION saying what
  // failed and what to do; CANCELLED.
  absl::StatusOr<PreparedRuntime> Prepare(const AttemptOrder& order,
                                          const AttemptPaths& paths,
                                          const std::function<bool()>& canceled) const;

  // What the step sees of its machine in that runtime, and the programs that it finds there.
  StepSurroundings SurroundingsIn(const PreparedRuntime& runtime, StepSurroundings machine) const;

  // Ends what is left of the attempt beside its processes: its container. Blocks.
  void Forget(const std::string& attempt, const std::string& shown) const;

  // The command line that runs something beside the attempt's command, which is shown so and lives,
  // in its environment. What is not in a container and has a sandbox enters it (the caller's part).
  // FAILED_PRECONDITION where the runtime is not here any more.
  absl::StatusOr<RuntimeCommand> MakeBeside(const AttemptOrder& order,
                                            const AttemptPaths& paths,
                                            const std::string& shown,
                                            const SideWish& wish,
                                            StepSurroundings machine) const;

  // The command line that runs the rendered step so. Does not block. FAILED_PRECONDITION where the
  // runtime is not here.
  absl::StatusOr<RuntimeCommand> Make(const AttemptOrder& order,
                                      const AttemptPaths& paths,
                                      const PreparedRuntime& runtime,
                                      StepCommand step,
                                      const StepSurroundings& surroundings) const;

 private:
  RuntimeSettings settings_;
  absl::StatusOr<std::shared_ptr<Images>> images_ = absl::NotFoundError("it was not looked for");
  std::shared_ptr<PythonEnvironments> python_;
  absl::StatusOr<SandboxView> sandbox_ = absl::NotFoundError("it was not looked for");
};

// What the step may touch, as its folders lie (agent/artifacts/step_folders.h): inputs are
// read-only but for private copies; its working directory, outputs and TMPDIR are its own.
RuntimeLaunch LaunchOf(const AttemptOrder& order,
                       const AttemptPaths& paths,
                       StepCommand step,
                       const StepSurroundings& surroundings);

}  // namespace potok::agent
