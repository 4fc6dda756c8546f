// Starts an attempt's command from the shim.
#pragma once

#include <cstdint>

#include "agent/executor/shim/shim_record.h"

namespace potok::shim {

struct Command {
  const char* const* argv;
  const char* const* environment;
  const char* joined_cgroups[3];  // cgroup.procs files; an empty one is skipped
  int tracked_cgroup;             // descriptor of a cgroup2 folder, or -1
};

struct Started {
  int pid = 0;  // 0: not started, for the reason below
  agent::StartStage failed_stage = agent::StartStage::kNone;
  int failed_errno = 0;
};

// Returns once the command's exec has succeeded or failed. The command leads its own process group,
// has default signal handling and dies with the shim.
Started Start(const Command& command);

}  // namespace potok::shim
