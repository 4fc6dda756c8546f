#include "common/base/age.h"

#include "absl/strings/numbers.h"
#include "fmt/format.h"

namespace potok {

namespace {

constexpr double kAgeSecondsMax = 1000.0 * 366 * 24 * 3600;

// Seconds of a unit, 0 if it is none.
double SecondsOfUnit(char unit) {
  switch (unit) {
    case 's':
      return 1;
    case 'm':
      return 60;
    case 'h':
      return 3600;
    case 'd':
      return 24 * 3600;
    case 'w':
      return 7 * 24 * 3600;
    default:
      return 0;
  }
}

}  // namespace

absl::StatusOr<absl::Duration> ParseAge(const std::string& text) {
  if (text == "forever") return absl::InfiniteDuration();
  double number = 0;
  const double unit = text.empty() ? 0 : SecondsOfUnit(text.back());
  const bool good = unit > 0 && text.find_first_not_of("0123456789.") == text.size() - 1 &&
                    absl::SimpleAtod(text.substr(0, text.size() - 1), &number) &&
                    number * unit <= kAgeSecondsMax;
  if (good) return absl::Seconds(number * unit);
  return absl::InvalidArgumentError(fmt::format(
      "'{}' is no length of time: give one such as 30d, 12h, 90m or 45s, or forever", text));
}

}  // namespace potok
