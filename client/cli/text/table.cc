#include "client/cli/text/table.h"

#include <algorithm>
#include <map>

#include "client/cli/text/printable.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

constexpr std::size_t kGap = 2;

// Cuts the widest column as often as it takes.
void Fit(std::size_t columns, std::vector<std::size_t>* widths) {
  std::size_t used = widths->empty() ? 0 : kGap * (widths->size() - 1);
  for (const std::size_t width : *widths) used += width;
  while (used > columns) {
    const auto widest = std::max_element(widths->begin(), widths->end());
    if (widest == widths->end() || *widest == 1) return;
    --*widest;
    --used;
  }
}

class Drawing {
 public:
  Drawing(const std::vector<std::string>& headings, const TableStyle& style)
      : headings_(headings), style_(style) {
    for (const std::string& heading : headings) {
      widths_.push_back(Columns(heading) + style.beyond_heading);
    }
  }

  std::string Of(const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::vector<std::string>> cells;
    for (const std::vector<std::string>& row : rows) {
      cells.emplace_back();
      for (std::size_t i = 0; i < headings_.size(); ++i) {
        cells.back().push_back(Printable(i < row.size() ? row[i] : ""));
        widths_[i] = std::max(widths_[i], Columns(cells.back().back()));
      }
    }
    if (style_.columns != 0) Fit(style_.columns, &widths_);
    std::vector<std::string> rules;
    for (const std::size_t width : widths_) rules.emplace_back(width, '-');
    std::string out = Line(headings_, /*colored=*/false) + Line(rules, /*colored=*/false);
    for (const std::vector<std::string>& row : cells) {
      out += Line(row, /*colored=*/style_.color != nullptr);
    }
    return out;
  }

 private:
  std::string Line(const std::vector<std::string>& cells, bool colored) const {
    std::string line;
    std::size_t blanks = 0;  // owed before the next text, so that no line ends in blanks
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string cell = Shortened(cells[i], widths_[i]);
      if (!cell.empty()) {
        const std::string color = colored ? style_.color(headings_[i], cells[i]) : "";
        line.append(blanks, ' ');
        line += color.empty() ? cell : color + cell + "\x1b[0m";
        blanks = 0;
      }
      blanks += widths_[i] - Columns(cell) + kGap;
    }
    const std::size_t end = line.find_last_not_of(' ');
    return (end == std::string::npos ? "" : line.substr(0, end + 1)) + "\n";
  }

  const std::vector<std::string>& headings_;
  const TableStyle& style_;
  std::vector<std::size_t> widths_;
};

}  // namespace

std::string Table(const std::vector<std::string>& headings,
                  const std::vector<std::vector<std::string>>& rows,
                  const TableStyle& style) {
  return Drawing(headings, style).Of(rows);
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

absl::StatusOr<absl::Duration> ParseSpan(const std::string& text) {
  static const std::map<char, absl::Duration> kUnits = {{'s', absl::Seconds(1)},
                                                        {'m', absl::Minutes(1)},
                                                        {'h', absl::Hours(1)},
                                                        {'d', absl::Hours(24)},
                                                        {'w', absl::Hours(7 * 24)}};
  constexpr std::size_t kDigitsMax = 9;
  absl::Duration span;
  std::string digits;
  for (const char& c : text) {
    if (c >= '0' && c <= '9' && digits.size() < kDigitsMax) {
      digits += c;
      continue;
    }
    const auto unit = kUnits.find(c);
    if (digits.empty() || unit == kUnits.end()) break;
    span += std::stoll(digits) * unit->second;
    digits.clear();
    if (&c == &text.back() && span > absl::ZeroDuration()) return span;
  }
  return absl::InvalidArgumentError(
      fmt::format("\"{}\" is no length of time: write a number with s, m, h, d or w, as 90s, 2h, "
                  "3d or 1d12h",
                  text));
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
