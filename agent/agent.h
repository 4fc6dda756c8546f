// Wires an agent by hand and runs it.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "agent/config.h"

namespace potok::agent {

// What comes with the agent; absolute paths.
struct AgentFiles {
  std::string shim;    // the program potok-shim
  std::string enter;   // the program potok-enter
  std::string python;  // a folder with what sdk/python has; may be missing
};

// Runs until a stop signal, which the caller has blocked in all threads. `facts` are of this
// machine. Does not return after an orderly end:
// transfers may still run, and what they do is done again by the next agent, so the process ends
// without waiting for them. Returns what kept the agent from starting.
absl::Status RunAgent(const AgentConfig& config,
                      const MachineFacts& facts,
                      const AgentFiles& files);

}  // namespace potok::agent
