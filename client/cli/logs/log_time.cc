#include "client/cli/logs/log_time.h"

#include <array>

#include "absl/strings/numbers.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

bool ParseSpan(const std::string& text, absl::Duration* span) {
  double days = 0;
  if (text.ends_with('d') && absl::SimpleAtod(text.substr(0, text.size() - 1), &days)) {
    *span = absl::Hours(24 * days);
    return true;
  }
  return absl::ParseDuration(text, span);
}

bool ParseMoment(const std::string& text, absl::Time now, absl::TimeZone zone, absl::Time* time) {
  constexpr std::array kFormats = {"%Y-%m-%d%ET%H:%M:%E*S%Ez",
                                   "%Y-%m-%d%ET%H:%M:%E*S",
                                   "%Y-%m-%d%ET%H:%M",
                                   "%Y-%m-%d %H:%M:%E*S",
                                   "%Y-%m-%d %H:%M",
                                   "%Y-%m-%d"};
  std::string error;
  for (const char* format : kFormats) {
    if (absl::ParseTime(format, text, zone, time, &error)) return true;
  }
  const std::string today = absl::FormatTime("%Y-%m-%d ", now, zone) + text;
  return absl::ParseTime("%Y-%m-%d %H:%M:%E*S", today, zone, time, &error) ||
         absl::ParseTime("%Y-%m-%d %H:%M", today, zone, time, &error);
}

}  // namespace

absl::StatusOr<std::int64_t> ParseLogTime(const std::string& text,
                                          absl::Time now,
                                          absl::TimeZone zone) {
  absl::Duration span;
  if (ParseSpan(text, &span) && span > absl::ZeroDuration()) {
    return -absl::ToInt64Microseconds(span);
  }
  absl::Time time;
  if (ParseMoment(text, now, zone, &time) && time > absl::UnixEpoch()) {
    return absl::ToUnixMicros(time);
  }
  return absl::InvalidArgumentError(fmt::format(
      "'{}' is no time: give how long ago (90s, 10m, 1h30m, 2d), a time of today (20:30), or a "
      "date (2026-11-27, 2026-11-27 20:30:15, 2026-11-27T20:30:15Z)",
      text));
}

absl::StatusOr<std::pair<std::int64_t, std::int64_t>> ParseLineRange(const std::string& text) {
  const auto number = [](const std::string& part, std::int64_t* value) {
    return part.empty() || (absl::SimpleAtoi(part, value) && *value >= 1);
  };
  std::int64_t first = 0;
  std::int64_t last = 0;
  const std::size_t colon = text.find(':');
  bool good = text.size() > (colon == std::string::npos ? 0U : 1U);
  good = good && number(text.substr(0, colon), &first);
  if (colon == std::string::npos) {
    last = first;
  } else {
    good = good && number(text.substr(colon + 1), &last);
  }
  if (!good || (last != 0 && last < first)) {
    return absl::InvalidArgumentError(
        fmt::format("'{}' is no range of lines: give FIRST:LAST, FIRST:, :LAST or one number, "
                    "counted from 1",
                    text));
  }
  return std::pair(first, last);
}

}  // namespace potok::client
