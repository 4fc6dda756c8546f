// What the embedded stack of a user should consist of: asked for by `potok up`, kept until `potok
// down`, so that a stack whose supervisor was killed is taken over as it was.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/stack/home.h"

namespace potok::client {

struct StackConfig {
  std::string server_program;  // absolute path
  std::string agent_program;
  std::vector<std::string> server_flags;  // more of them: "--retention=30d"
  std::vector<std::string> agents;        // names
  // For every agent; empty: what the machine has.
  std::string agent_memory;
  std::string agent_cpus;
  std::string agent_gpus;
  std::vector<std::string> agent_labels;  // key=value
  std::vector<std::string> agent_pools;
  std::vector<std::string> agent_flags;  // more of them: "--resource=fpga=2"

  bool operator==(const StackConfig&) const = default;
};

// HOST, or HOST-1 to HOST-N when there are several on one machine.
std::vector<std::string> AgentNames(const std::string& host, int count);

// A process that the supervisor keeps running.
struct ProcessSpec {
  std::string name;  // "server", "agent-NAME": of its log and pid file
  std::vector<std::string> argv;
};

// The server first. They are stopped in the reverse order.
std::vector<ProcessSpec> ProcessesOf(const StackConfig& config, const Home& home);

absl::Status SaveConfig(const StackConfig& config, const Home& home);
// Nothing if none was saved; an error if it cannot be read.
absl::StatusOr<std::optional<StackConfig>> LoadConfig(const Home& home);

}  // namespace potok::client
