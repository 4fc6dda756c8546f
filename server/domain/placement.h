// Picks machines for queued steps. Pure; equal input gives equal output.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/domain/decide.h"
#include "server/domain/state.h"

namespace potok::server {

struct PlacementChoice {
  StepKey step;
  Placement placement;
  std::optional<HeldInputs> held;  // what the machine holds of its inputs; nothing: none
};

// Takes queued steps in order (picker.h: higher priority first unless one of a lower has waited
// very long, then the oldest run, then who waits longest, then position) to machines that are
// ready, have a session and are not cordoned or quarantined. A machine fits when it is in the
// step's pool, its labels are what the step asks for, and what is free covers the request, with
// enough room on GPUs of the right kind. Among those that fit, the one wins where least is lost of
// what others want of GPUs, then the fullest (placement/engine.h), unless one that holds inputs of
// the step saves more than it loses (locality.h), or the pool spreads (vacancies.h). For the first
// step of each pool that fits nowhere now, room is kept on the machine that will have it soonest,
// as far as the time limits of what runs say (reservation.h): others go around it there only if
// their own limit ends before that, or if they fit beside it. The members of a step on several
// machines are placed together or none of them is, each on a machine of its own unless the pool has
// too few; what is kept for them is kept on so many machines, from when the last of these has room.
// Where no limits say, what it needs is taken from what is free on the machine that is nearest to
// holding it. Either way smaller steps behind it cannot starve it; likewise with what the limits of
// its pool leave. Stops early once no machine has a CPU free. Changes nothing of the state but its
// vacancies, which are derived.
std::vector<PlacementChoice> Place(State& state, const DecideOptions& options, absl::Time now);

// Why a step waits, one line: "needs 2 GPUs, 1 is free on gpu-3 (the nearest of 4 machines)".
std::string ExplainWaiting(const State& state, const StepKey& step, const DecideOptions& options);

// Where a queued step is in the order, one line: "priority 5, queued for 3m0s: 2 steps of higher
// priority come before it, and 7 of the same". Empty of one that is not queued, or of a run of
// which nothing is placed. What ranks otherwise because of how long it has waited is counted by its
// priority all the same. For people: it counts the runs in the queue.
std::string ExplainPlace(const State& state, const StepKey& step, absl::Time now);

// The machines of a queued step's pool in groups, the largest first: "12 machines: 1 GPU free of 8,
// needs 2". Nothing for a step of which ExplainPlace says nothing.
std::vector<std::string> ExplainMachines(const State& state,
                                         const StepKey& step,
                                         const DecideOptions& options);

// When a queued step that fits nowhere now has room at the latest, one line; empty where the time
// limits of what runs do not say, and where the limits of its pool hold it up.
std::string ExplainOpening(const State& state,
                           const StepKey& step,
                           const DecideOptions& options,
                           absl::Time now);

// The most memory that a known machine (silent ones count) has that could hold all else that the
// shape asks for; 0 if there is none.
std::int64_t MostMemoryFor(const State& state, Shape shape, const DecideOptions& options);

// OK if some known machine (silent ones count) could ever hold each step of the plan, empty; else
// FAILED_PRECONDITION with a line per step naming the nearest miss. No machine known at all is
// UNAVAILABLE.
absl::Status CheckSatisfiable(const State& state, const Plan& plan, const DecideOptions& options);

// The same of a plan all of whose steps are to go to one pool (empty: the default pool).
absl::Status CheckPool(const State& state,
                       const Plan& plan,
                       const std::string& pool,
                       const DecideOptions& options);

}  // namespace potok::server
