#include "client/cli/text/table.h"

#include "client/cli/text/printable.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

std::string Line(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i != 0) line += "  ";
    line += cells[i];
    if (i + 1 < cells.size()) line.append(widths[i] - Columns(cells[i]), ' ');
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line + "\n";
}

}  // namespace

std::string Table(const std::vector<std::string>& headings,
                  const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  std::vector<std::string> rules;
  widths.reserve(headings.size());
  rules.reserve(headings.size());
  for (const std::string& heading : headings) widths.push_back(Columns(heading));
  std::vector<std::vector<std::string>> cells;
  for (const std::vector<std::string>& row : rows) {
    cells.emplace_back();
    for (std::size_t i = 0; i < headings.size(); ++i) {
      cells.back().push_back(Printable(i < row.size() ? row[i] : ""));
      widths[i] = std::max(widths[i], Columns(cells.back().back()));
    }
  }
  for (const std::size_t width : widths) rules.emplace_back(width, '-');
  std::string out = Line(headings, widths) + Line(rules, widths);
  for (const std::vector<std::string>& row : cells) out += Line(row, widths);
  return out;
}

std::string ShortDuration(absl::Duration duration) {
  duration = std::max(duration, absl::ZeroDuration());
  const auto seconds = absl::ToInt64Seconds(duration);
  if (seconds < 10) return fmt::format("{:.1f}s", absl::ToDoubleSeconds(duration));
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3600) return fmt::format("{}m {:02}s", seconds / 60, seconds % 60);
  if (seconds < 86400) return fmt::format("{}h {:02}m", seconds / 3600, seconds / 60 % 60);
  return fmt::format("{}d {}h", seconds / 86400, seconds / 3600 % 24);
}

std::string LocalTime(std::int64_t unix_us, absl::TimeZone zone) {
  if (unix_us == 0) return "";
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", absl::FromUnixMicros(unix_us), zone);
}

std::string IsoTime(std::int64_t unix_us) {
  if (unix_us == 0) return "";
  return absl::FormatTime(
      "%Y-%m-%dT%H:%M:%E6S%Ez", absl::FromUnixMicros(unix_us), absl::UTCTimeZone());
}

}  // namespace potok::client
