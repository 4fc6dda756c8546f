// From an order to what is executed: command line, script, environment. Pure.
// Rules and reasons: docs/decisions/0007-how-commands-run.md.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/domain/attempt_paths.h"
#include "agent/domain/order.h"

namespace potok::agent {

// What a step sees of its machine.
struct StepSurroundings {
  std::string home;
  std::string user;
  std::string path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  bool has_gpus = false;
  std::string machine;
  bool is_servers_machine = false;  // what listens on the server's loopback is reached from here
  // A folder with a package `mlflow` for steps that have none; empty: not there.
  std::string mlflow_standin;
  // The image says what PATH and HOME are, and which programs there are.
  bool is_image = false;
  std::string python;  // folder of the Python that comes with the agent; empty: there is none
};

// The absolute path of a program that can be executed without a shell, looked for in a PATH;
// nothing if there is none.
using FindProgram =
    std::function<std::optional<std::string>(const std::string& program, const std::string& path)>;

struct StepCommand {
  std::vector<std::string> argv;  // argv[0] is absolute
  std::map<std::string, std::string> environment;
  std::optional<std::string> script;  // to be written to AttemptPaths::script() before the start
};

// INVALID_ARGUMENT where the command cannot be rendered, naming the reference.
absl::StatusOr<StepCommand> RenderStep(const AttemptOrder& order,
                                       const AttemptPaths& paths,
                                       const StepSurroundings& surroundings,
                                       const FindProgram& find_program);

// The environment of the step's processes, whole, but for the values that the script reads.
std::map<std::string, std::string> StepEnvironment(const AttemptOrder& order,
                                                   const AttemptPaths& paths,
                                                   const StepSurroundings& surroundings);

}  // namespace potok::agent
