// Compares what should run on a machine with what its Hello says. Pure.
#pragma once

#include <vector>

#include "server/domain/event.h"
#include "server/domain/state.h"

namespace potok::server {

struct Resumption {
  std::vector<AttemptKey> ended;  // dead, and nobody will report them
  std::vector<AttemptKey> keep;   // of hello.live: still wanted
  std::vector<AttemptKey> start;  // never arrived: order again
  std::vector<AttemptKey> stop;   // alive, but to be stopped: order again
};

// `machine` is the record from before the Hello. A terminal report that the Hello carries speaks
// for its attempt, which is then in none of the lists.
//
// After a boot everything that ran is dead. In the same boot, an attempt that began (Running,
// Uploading, Stopping) and is not alive has ended, and is never ordered again under its number; one
// that is Assigned may never have heard of it, and is ordered again.
Resumption Resume(const State& state, const MachineRecord& machine, const MachineHello& hello);

// True for reports after which the attempt is no more: succeeded, failed, stopped.
bool EndsAttempt(const StepEvent& event);

}  // namespace potok::server
