// Changes as bytes and back: the journal's rows and what tables keep of single changes. The format
// is proto/potok/journal/v1. Pure; thread-safe.
//
// Times are kept in whole microseconds; a plan is not kept. Decoding fails with DATA_LOSS, saying
// what cannot be read, on bytes that are damaged or hold what this version does not know.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/domain/change.h"

namespace potok::server {

// All changes of one turn.
std::string Encode(const std::vector<Change>& changes);
absl::StatusOr<std::vector<Change>> Decode(const std::string& bytes);

std::string EncodeStepState(const StepState& state);
absl::StatusOr<StepState> DecodeStepState(const std::string& bytes);

// Of the row of a step or an attempt; empty if there is none of them.
std::string EncodeAttemptFacts(const std::optional<Usage>& usage,
                               const std::optional<MemoryRaise>& raise,
                               const std::string& runtime,
                               const std::optional<HeldInputs>& held);
absl::Status DecodeAttemptFacts(const std::string& bytes,
                                std::optional<Usage>* usage,
                                std::optional<MemoryRaise>* raise,
                                std::string* runtime,
                                std::optional<HeldInputs>* held);

std::string EncodeRunAdded(const RunAdded& run);
absl::StatusOr<RunAdded> DecodeRunAdded(const std::string& bytes);

std::string EncodeMachineChanged(const MachineChanged& machine);
absl::StatusOr<MachineChanged> DecodeMachineChanged(const std::string& bytes);

std::string EncodeTeamChanged(const TeamChanged& team);
absl::StatusOr<TeamChanged> DecodeTeamChanged(const std::string& bytes);

std::string EncodeTeamUsed(const TeamUsed& used);
absl::StatusOr<TeamUsed> DecodeTeamUsed(const std::string& bytes);

// Numbers of the format, the same for ever: what tables keep of a status.
int NumberOf(RunStatus status);
absl::StatusOr<RunStatus> RunStatusOf(int number);
int NumberOf(const StepState& state);
int NumberOf(Liveness liveness);

}  // namespace potok::server
