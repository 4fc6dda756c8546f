// What an attempt is told: its inputs with their values, its command. Pure.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "server/domain/effect.h"
#include "server/domain/state.h"

namespace potok::server {

// The values of the step's inputs, now that its upstreams have ended: those that have none are
// left out. FAILED_PRECONDITION with a line for the user if a required one has none, if a text is
// not of the input's type, or if files would have to be joined with text.
absl::StatusOr<std::vector<OrderInput>> ResolveInputs(const RunRecord& run, std::uint32_t index);

// The order for the step's attempt, which is on a machine.
absl::StatusOr<StartOrder> BuildStartOrder(const RunRecord& run, std::uint32_t index);

}  // namespace potok::server
