// How changes become the rows that readers see: one pure fold, which the projector of PostgreSQL
// and the fake share, so that both show the same. No thread rule: values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/store/store.h"

namespace potok::server {

// What the table of steps knows of a step beyond its latest change.
struct StepFacts {
  int state = 0;  // NumberOf(StepState); 0: never moved, has no row
  std::uint32_t attempt = 0;
  MachineId machine = 0;  // of the latest attempt
  std::int64_t queued_us = 0;
  std::int64_t started_us = 0;
  std::int64_t ended_us = 0;
  bool preempted = false;                         // it leaves its machine for another step
  std::string runtime = {};                       // of the latest attempt, as in potok.v1.Report
  std::optional<HeldInputs> held = std::nullopt;  // likewise, as StepMoved's
};

// True of one that leaves its machine for another step.
bool IsPreempted(const StepState& state);

// A run's row and what is needed to go on folding.
struct RunFacts {
  RunRow row;
  std::int64_t moved_us = 0;  // when it came into its status, 0: never moved
  std::vector<StepFacts> steps;
};

// An attempt that is not the step's last: explains why the step ran again. How the last one ended
// is the step's own row.
struct AttemptEnded {
  AttemptKey key;
  MachineId machine = 0;
  std::int64_t started_us = 0;  // 0: its command never started
  std::int64_t ended_us = 0;
  std::string cause;  // the name of a FailureCause
  int code = 0;       // exit code or signal number
  std::optional<Usage> usage;
  std::string runtime;
};

RunFacts FactsOf(const RunAdded& added, std::int64_t revision);
void Fold(const RunMoved& moved, std::int64_t revision, RunFacts* run);
// False if the run has no such step: then nothing changes. `ended` gets the attempt after which
// this move lets the step go on, if it does.
bool Fold(const StepMoved& moved,
          std::int64_t revision,
          RunFacts* run,
          std::optional<AttemptEnded>* ended);

// False if those steps are known already, or others are missing: then nothing changes.
bool Fold(const StepsAdded& added, std::int64_t revision, RunFacts* run);

// The row of a step after its latest change was folded.
StepRow RowOf(const StepMoved& latest, const StepFacts& facts, std::int64_t revision);

// About how much memory a batch holds, in bytes.
std::int64_t SizeOf(const Batch& batch);

}  // namespace potok::server
