#include "common/pipeline/value.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "absl/status/status.h"
#include "common/pipeline/validate.h"
#include "fmt/format.h"

namespace potok {

namespace {

std::string Trimmed(const std::string& text) {
  const char* blanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

// std::from_chars takes no plus sign. "+-1" keeps it, and is no number.
std::string WithoutPlus(const std::string& text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') return text.substr(1);
  return text;
}

absl::Status IsNot(const std::string& text, const std::string& what) {
  return absl::InvalidArgumentError(
      fmt::format("'{}' is not {}", text.size() > 80 ? text.substr(0, 80) + "..." : text, what));
}

absl::StatusOr<std::string> CoerceBoolean(const std::string& text) {
  std::string lower = Trimmed(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  if (lower == "true") return std::string("True");
  if (lower == "false") return std::string("False");
  return IsNot(text, "a boolean; write true or false");
}

absl::StatusOr<std::string> CoerceInteger(const std::string& text) {
  const std::optional<double> number = ParseNumber(text);
  const std::string digits = WithoutPlus(Trimmed(text));
  const char* end = digits.data() + digits.size();
  std::int64_t integer = 0;
  if (const auto read = std::from_chars(digits.data(), end, integer);
      number && read.ptr == end && read.ec == std::errc()) {
    return std::to_string(integer);
  }
  // Beyond 2^53 a double no longer tells neighbouring integers apart (IEEE 754).
  if (!number || std::trunc(*number) != *number || std::abs(*number) > 9007199254740992.0) {
    return IsNot(text, "an integer of 64 bits");
  }
  return std::to_string(static_cast<std::int64_t>(*number));
}

}  // namespace

std::optional<double> ParseNumber(const std::string& text) {
  const std::string digits = WithoutPlus(Trimmed(text));
  const char* end = digits.data() + digits.size();
  double number = 0;
  const auto read = std::from_chars(digits.data(), end, number);
  if (read.ptr != end) return std::nullopt;
  // A literal beyond the range of a double reads as infinity or zero, in Python too.
  if (read.ec == std::errc::result_out_of_range) return std::strtod(digits.c_str(), nullptr);
  if (read.ec != std::errc()) return std::nullopt;
  return number;
}

absl::StatusOr<std::string> Coerce(const std::string& text, ValueType type) {
  switch (type) {
    case ValueType::kBoolean:
      return CoerceBoolean(text);
    case ValueType::kInteger:
      return CoerceInteger(text);
    case ValueType::kNumber:
      if (!ParseNumber(text)) return IsNot(text, "a number");
      return Trimmed(text);
    default:
      return text;
  }
}

absl::Status CheckValue(const std::string& text, const Input& port) {
  const absl::StatusOr<std::string> value = Coerce(text, port.type);
  if (!value.ok()) return value.status();
  if (port.type == ValueType::kNumber || port.type == ValueType::kInteger) {
    const double number = ParseNumber(*value).value_or(0);
    // Written so that "nan" is within no limits.
    if (port.min && !(number >= *port.min)) {
      return IsNot(text, fmt::format("allowed: it is below the minimum, {}", *port.min));
    }
    if (port.max && !(number <= *port.max)) {
      return IsNot(text, fmt::format("allowed: it is above the maximum, {}", *port.max));
    }
  }
  const auto& choices = port.choices;
  const bool chosen = choices.empty() ||
                      std::find(choices.begin(), choices.end(), text) != choices.end() ||
                      std::find(choices.begin(), choices.end(), *value) != choices.end();
  if (!chosen) return IsNot(text, fmt::format("one of {}", fmt::join(choices, ", ")));
  return absl::OkStatus();
}

}  // namespace potok
