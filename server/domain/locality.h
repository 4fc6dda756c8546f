// Where a step's inputs are, and what it is worth to run there. Pure.
//
// The rule (docs/decisions/0046-where-the-inputs-are.md): among the machines that hold a step, one
// that saves transfers is taken instead of the one where least is lost, as long as what is lost
// more there is not worth more than the GPUs that would idle while the inputs are fetched.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "server/domain/holdings.h"
#include "server/domain/state.h"

namespace potok::server {

// The code and the inputs of a step that are files.
struct WantedFiles {
  std::vector<Artifact> large;   // worth knowing where they are, the largest first, each once
  std::int64_t total_bytes = 0;  // of all, also the small ones
};
// Of a step whose inputs are known; what is not known yet is left out.
WantedFiles FilesWantedBy(const RunRecord& run, std::uint32_t index);

// How many of these bytes the machine holds.
std::int64_t HeldBytes(const Holdings& holdings, const WantedFiles& files, MachineId machine);

// Machines that hold some of them, a bounded number, those first that hold the most and then those
// that follow `from` by number. Looks at few holders of each artifact, however many there are.
std::vector<MachineId> SomeHolders(const Holdings& holdings,
                                   const WantedFiles& files,
                                   MachineId from);

// How much more a placement may lose, in thousandths of what a GPU's room is worth for as long as
// the step runs, when it saves the transfer of so many bytes: as much as the step's GPUs would lose
// by waiting for them, but never more than a tenth of those. Nothing for a step without GPUs.
std::int64_t LossWorth(std::int64_t saved_bytes, std::int32_t gpu_millis, absl::Duration lasts);

// Notes in the state's holdings what the step's machine is known to hold since the step came into
// its state.
void NoteHoldings(State& state, const RunRecord& run, std::uint32_t index);

}  // namespace potok::server
