// Tables and times for people. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace potok::client {

// How a table is shown; by default as a file wants it.
struct TableStyle {
  // A terminal's columns: while the lines are longer, the widest column is cut, with "…". 0: no
  // cut.
  std::size_t columns = 0;
  // Narrowest of each column, besides its heading. `az -o table` leaves two columns more than that.
  std::size_t beyond_heading = 0;
  // What colours a cell of the column of this heading: a sequence of ECMA-48, or "". May be null.
  const char* (*color)(const std::string& heading, const std::string& cell) = nullptr;
};

// Rows under headings, columns padded to their widest cell, as `az -o table` prints them. Cells are
// made printable. Ends in a newline.
std::string Table(const std::vector<std::string>& headings,
                  const std::vector<std::vector<std::string>>& rows,
                  const TableStyle& style = {});

// "0.4s", "12s", "3m 05s", "2h 10m", "3d 4h".
std::string ShortDuration(absl::Duration duration);

// "90s", "2h", "3d", "1w", "1d12h": the other way round, for options. INVALID_ARGUMENT for anything
// else and for nothing.
absl::StatusOr<absl::Duration> ParseSpan(const std::string& text);

// "2026-11-23 12:03:11" in `zone`; "" for a time of 0 (Unix microseconds).
std::string LocalTime(std::int64_t unix_us, absl::TimeZone zone);

// "2026-11-23T12:03:11.000000+00:00", as Azure writes times; "" for 0.
std::string IsoTime(std::int64_t unix_us);

}  // namespace potok::client
