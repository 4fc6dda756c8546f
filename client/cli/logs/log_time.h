// Times as people give them on the command line. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace potok::client {

// Of `--since` and `--until`, as LogsRequest takes it: Unix microseconds, or negative for so long
// before now. "90s", "10m", "1h30m", "2d"; "2026-11-27", "2026-11-27 20:30", with seconds, with
// "T", RFC 3339 with its own offset; "20:30" of the day of `now`. INVALID_ARGUMENT says the forms.
absl::StatusOr<std::int64_t> ParseLogTime(const std::string& text,
                                          absl::Time now,
                                          absl::TimeZone zone);

// "A:B", "A:", ":B" or "A" alone, numbers from 1: the first and last line, 0 for none given.
absl::StatusOr<std::pair<std::int64_t, std::int64_t>> ParseLineRange(const std::string& text);

}  // namespace potok::client
