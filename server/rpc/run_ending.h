// What is told of a run that has ended. Blocks on the database; thread-safe.
#pragma once

#include "absl/status/statusor.h"
#include "server/notify/ending.h"
#include "server/rpc/run_view.h"

namespace potok::server {

// NOT_FOUND; UNAVAILABLE. Failed steps whose names or states cannot be read are left out.
absl::StatusOr<Ending> EndingOf(RunView& view, RunId id);

}  // namespace potok::server
