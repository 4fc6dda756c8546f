// What CheckInvariants (state.h) is made of, by what is checked. Pure. Each adds a line to
// `problems` for everything that is derived and differs from what would be worked out now.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/domain/state.h"

namespace potok::server {

using Problems = std::vector<std::string>;

// A step for a problem's line: "run 3 step train (Running, attempt 2)".
std::string DescribeStep(const RunRecord& run, std::uint32_t index);

// One step: its attempts, what it needs, the sets that it is in (invariants_steps.cc).
void CheckStep(const State& state, const RunRecord& run, std::uint32_t index, Problems* problems);

// One run: its counts, and the books of what it made of itself (invariants_runs.cc).
void CheckRun(const State& state, const RunRecord& run, Problems* problems);
// Who waits for which run's end (invariants_runs.cc).
void CheckFollowers(const State& state, Problems* problems);

// Who waits for an equal step, and the fingerprints that are kept (invariants_reuse.cc).
void CheckReuse(const State& state, Problems* problems);

// The queue of steps (invariants_queue.cc).
void CheckQueue(const State& state, Problems* problems);

// What teams hold and who is in them (invariants_teams.cc).
void CheckTeams(const State& state, Problems* problems);

// What machines hold, and what is derived of all of them (invariants_machines.cc).
void CheckMachines(const State& state, Problems* problems);
// What steps hold of each pool (invariants_machines.cc).
void CheckPoolUse(const State& state, Problems* problems);

}  // namespace potok::server
