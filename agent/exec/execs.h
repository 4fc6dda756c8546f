// Commands that run beside attempts. Port of the agent's loop; the real one is exec_sessions.h.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/domain/exec_order.h"

namespace potok::agent {

// What runs, and in what.
struct ExecCommand {
  std::vector<std::string> argv = {};
  std::map<std::string, std::string> environment = {};  // complete; its PATH finds argv[0]
  std::string directory = {};                           // as it is called inside
  std::vector<std::string> cgroups = {};                // files cgroup.procs of the attempt
  int sandbox = 0;  // the outermost process of the sandbox that it is to enter; 0: none
};

// One thread calls; nothing blocks and nothing fails.
class Execs {
 public:
  virtual ~Execs() = default;
  // Joins whoever asked and runs the command for it, or says why not.
  virtual void Open(const ExecOrder& order, absl::StatusOr<ExecCommand> command) = 0;
  // Kills what runs beside the attempt: its own command has ended.
  virtual void EndOf(const AttemptKey& key) = 0;
};

}  // namespace potok::agent
