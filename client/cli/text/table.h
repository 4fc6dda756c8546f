// Tables and times for people. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"

namespace potok::client {

// Rows under headings, columns padded to their widest cell, as `az -o table` prints them. Cells are
// made printable. Ends in a newline.
std::string Table(const std::vector<std::string>& headings,
                  const std::vector<std::vector<std::string>>& rows);

// "0.4s", "12s", "3m 05s", "2h 10m", "3d 4h".
std::string ShortDuration(absl::Duration duration);

// "2026-11-23 12:03:11" in `zone`; "" for a time of 0 (Unix microseconds).
std::string LocalTime(std::int64_t unix_us, absl::TimeZone zone);

// "2026-11-23T12:03:11.000000+00:00", as Azure writes times; "" for 0.
std::string IsoTime(std::int64_t unix_us);

}  // namespace potok::client
