// FOLDER/state from the agent's side: made before the shim starts, read when it has ended.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agent/executor/executor.h"
#include "agent/executor/shim/shim_record.h"
#include "agent/executor/unique_fd.h"

namespace potok::agent {

// `fd`, or a duplicate in its place, that is larger than those that the shim gets: making one of
// them must not close another.
UniqueFd MoveAboveShims(int fd);

std::string StatePath(const std::string& folder);

// Makes FOLDER/state with the record, locked. ALREADY_EXISTS if there is one that tells of a
// start: an attempt starts once. The lock lasts as long as a process has the descriptor.
absl::StatusOr<UniqueFd> CreateState(const std::string& folder, const ShimRecord& record);

struct FoundState {
  ShimRecord record;
  bool shim_lives = false;  // the file is locked
};

// NOT_FOUND without such a file; DATA_LOSS if it is not whole.
absl::StatusOr<FoundState> FindState(const std::string& folder);

// The end that the record tells; kLost if it tells none.
Ended EndOf(const ShimRecord& record);

// Writes the whole record again, when there is no shim to write the end. A failure loses nothing
// that the caller does not report itself.
void RewriteState(const UniqueFd& state, const ShimRecord& record);

}  // namespace potok::agent
