// Lengths of time as people write them. Pure.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace potok {

// From "30d", "12h", "90m", "45s", "2w", "1.5h"; "forever" is without end. INVALID_ARGUMENT for
// anything else, and for what is negative or beyond 1000 years.
absl::StatusOr<absl::Duration> ParseAge(const std::string& text);

}  // namespace potok
