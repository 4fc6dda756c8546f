// What users may change of a run after it was submitted. Pure.
#pragma once

#include "absl/status/status.h"
#include "potok/v1/runs.pb.h"
#include "server/store/store.h"

namespace potok::server {

// Changes display name, description, experiment, tags and properties of `row` as the request says.
// Errors are those of Runs.Update; `row` is then half changed.
absl::Status ApplyUpdate(const v1::UpdateRunRequest& request, RunRow& row);

// Archives or restores. FAILED_PRECONDITION for a run that has not ended and is to be archived.
absl::Status SetArchived(bool archived, RunRow& row);

}  // namespace potok::server
