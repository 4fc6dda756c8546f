// Wires an agent by hand and runs it.
#pragma once

#include "absl/status/status.h"
#include "agent/config.h"

namespace potok::agent {

// Runs until a stop signal, which the caller has blocked in all threads. `facts` are of this
// machine; `shim_path` is the absolute path of potok-shim. Does not return after an orderly end:
// transfers may still run, and what they do is done again by the next agent, so the process ends
// without waiting for them. Returns what kept the agent from starting.
absl::Status RunAgent(const AgentConfig& config,
                      const MachineFacts& facts,
                      const std::string& shim_path);

}  // namespace potok::agent
