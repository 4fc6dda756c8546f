// The folders that a command finds when it starts, and what it left in them. Blocks on the disk,
// with as few calls as can be: a turn of the loop may do this for hundreds of attempts.
#pragma once

#include "absl/status/status.h"
#include "agent/domain/attempt_paths.h"
#include "agent/domain/order.h"

namespace potok::agent {

// Makes the working directory with outputs/ and logs/, the folder for temporary files, and what the
// declared outputs need. What is there already stays. UNAVAILABLE naming the path and the reason.
absl::Status MakeStepFolders(const AttemptOrder& order, const AttemptPaths& paths);

// True if the command left anything in work/outputs or work/logs. Removes them where they are
// empty.
bool HasDefaultArtifacts(const AttemptPaths& paths);

// Removes a folder with all that is in it, also what was made read-only, without following links.
// Logs what cannot be removed.
void RemoveFolder(const std::string& path);

}  // namespace potok::agent
