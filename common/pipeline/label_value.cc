// CompareLabelValues.
#include <cmath>
#include <optional>

#include "absl/strings/numbers.h"
#include "common/base/resources.h"
#include "common/pipeline/label_expression.h"

namespace potok {

namespace {

constexpr std::size_t kVersionPartsMax = 8;
constexpr std::size_t kPartDigitsMax = 18;

bool IsDecimalDigit(char c) {
  return c >= '0' && c <= '9';
}

// A plain decimal, or an amount of bytes whose unit ends in B: a "3g" is a name.
std::optional<double> LabelNumberOf(const std::string& text) {
  const std::size_t first = text.find_first_not_of("+-");
  if (first > 1) return std::nullopt;  // or npos, which is more
  if (!IsDecimalDigit(text[first]) && text[first] != '.') return std::nullopt;
  double number = 0;
  if (absl::SimpleAtod(text, &number) && std::isfinite(number)) return number;
  if (first != 0 || (text.back() != 'B' && text.back() != 'b')) return std::nullopt;
  const absl::StatusOr<std::int64_t> bytes = ParseBytes(text);
  if (!bytes.ok()) return std::nullopt;
  return static_cast<double>(*bytes);
}

// Numbers with dots between them, perhaps after a 'v'.
std::optional<std::vector<std::int64_t>> LabelVersionOf(const std::string& text) {
  std::vector<std::int64_t> parts;
  std::size_t at = !text.empty() && (text[0] == 'v' || text[0] == 'V') ? 1 : 0;
  while (true) {
    std::size_t end = at;
    while (end < text.size() && IsDecimalDigit(text[end])) ++end;
    std::int64_t part = 0;
    if (end == at || end - at > kPartDigitsMax || parts.size() == kVersionPartsMax ||
        !absl::SimpleAtoi(text.substr(at, end - at), &part)) {
      return std::nullopt;
    }
    parts.push_back(part);
    if (end == text.size()) return parts;
    if (text[end] != '.') return std::nullopt;
    at = end + 1;
  }
}

template <class T>
int ThreeWay(const T& a, const T& b) {
  if (a < b) return -1;
  return b < a ? 1 : 0;
}

}  // namespace

int CompareLabelValues(const std::string& a, const std::string& b) {
  const std::optional<double> number_a = LabelNumberOf(a);
  const std::optional<double> number_b = LabelNumberOf(b);
  if (number_a && number_b) return ThreeWay(*number_a, *number_b);
  auto version_a = LabelVersionOf(a);
  auto version_b = LabelVersionOf(b);
  if (!version_a || !version_b) return ThreeWay(a, b);
  // Parts that are not written are zero.
  version_a->resize(kVersionPartsMax);
  version_b->resize(kVersionPartsMax);
  return ThreeWay(*version_a, *version_b);
}

}  // namespace potok
