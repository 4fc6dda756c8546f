// Some pieces of blocking work at once.
#pragma once

#include <functional>
#include <vector>

#include "absl/status/status.h"

namespace potok {

// Runs all pieces on up to `threads` threads and returns when none is running. After the first
// failure, which is returned, no further piece is begun.
absl::Status RunAll(const std::vector<std::function<absl::Status()>>& pieces, int threads);

}  // namespace potok
