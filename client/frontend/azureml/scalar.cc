#include "client/frontend/azureml/scalar.h"

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <set>

#include "absl/strings/ascii.h"
#include "fmt/format.h"

namespace potok::client {

namespace {

// Reads a text from the left. Each method consumes what it names and says whether it did.
class Cursor {
 public:
  explicit Cursor(const std::string& text) : text_(text) {}

  bool AtEnd() const { return at_ == text_.size(); }
  bool One(const std::string& characters) {
    if (AtEnd() || characters.find(text_[at_]) == std::string::npos) return false;
    ++at_;
    return true;
  }
  bool Many(const std::string& characters) {
    const std::size_t before = at_;
    while (One(characters)) continue;
    return at_ != before;
  }
  bool Word(const std::string& word) {
    if (text_.compare(at_, word.size(), word) != 0) return false;
    at_ += word.size();
    return true;
  }

 private:
  const std::string& text_;
  std::size_t at_ = 0;
};

constexpr const char* kDigits = "0123456789";
constexpr const char* kDigitsAndMarks = "0123456789_";

std::string WithoutMarks(const std::string& text) {
  std::string result;
  for (const char character : text) {
    if (character != '_') result.push_back(character);
  }
  return result;
}

std::optional<bool> AsBoolean(const std::string& text) {
  static const std::set<std::string> yes = {
      "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"};
  static const std::set<std::string> no = {
      "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"};
  if (yes.contains(text)) return true;
  if (no.contains(text)) return false;
  return std::nullopt;
}

// Of YAML's boolean words those that are booleans to everybody.
bool IsTrueOrFalse(const std::string& text) {
  const std::string lower = absl::AsciiStrToLower(text);
  return lower == "true" || lower == "false";
}

// One or more ":d" or ":dd" with dd below 60.
bool Sexagesimals(Cursor* cursor) {
  bool any = false;
  while (cursor->One(":")) {
    const bool tens = cursor->One("012345");
    if (!cursor->One(kDigits) && !tens) return false;
    any = true;
  }
  return any;
}

// A number of one digit or more that does not begin with 0.
bool DecimalDigits(Cursor* cursor) {
  if (!cursor->One("123456789")) return false;
  cursor->Many(kDigitsAndMarks);
  return true;
}

// The base of an integer, or 0: PyYAML's resolver for tag:yaml.org,2002:int.
int IntegerBase(const std::string& text) {
  const auto matches = [&](auto rest) {
    Cursor cursor(text);
    cursor.One("-+");
    return rest(cursor) && cursor.AtEnd();
  };
  if (matches([](Cursor& c) { return c.Word("0b") && c.Many("01_"); })) return 2;
  if (matches([](Cursor& c) { return c.Word("0x") && c.Many("0123456789abcdefABCDEF_"); })) {
    return 16;
  }
  if (matches([](Cursor& c) { return c.Word("0") && c.Many("01234567_"); })) return 8;
  if (matches([](Cursor& c) { return c.Word("0"); })) return 10;
  if (matches([](Cursor& c) { return DecimalDigits(&c); })) return 10;
  if (matches([](Cursor& c) { return DecimalDigits(&c) && Sexagesimals(&c); })) return 60;
  return 0;
}

// Value of digits of base 60 written with ':', the last of which may have a fraction.
double Sexagesimal(const std::string& digits) {
  double value = 0;
  std::size_t start = 0;
  while (start <= digits.size()) {
    std::size_t end = digits.find(':', start);
    if (end == std::string::npos) end = digits.size();
    value = value * 60 + std::strtod(digits.substr(start, end - start).c_str(), nullptr);
    start = end + 1;
  }
  return value;
}

std::string IntegerText(const std::string& text, int base) {
  std::string digits = WithoutMarks(text);
  const bool is_negative = digits[0] == '-';
  if (is_negative || digits[0] == '+') digits.erase(0, 1);
  if (base == 2 || base == 16) digits.erase(0, 2);
  std::string value = digits;
  if (base == 60) {
    value = fmt::format("{:.0f}", Sexagesimal(digits));
  } else if (base != 10) {
    value = fmt::format("{}", std::strtoull(digits.c_str(), nullptr, base));
  }
  return is_negative && value != "0" ? "-" + value : value;
}

// PyYAML's resolver for tag:yaml.org,2002:float.
bool IsFloat(const std::string& text) {
  const auto exponent = [](Cursor& c) {
    if (!c.One("eE")) return true;
    return c.One("-+") && c.Many(kDigits);
  };
  Cursor plain(text);
  plain.One("-+");
  if (plain.One(kDigits)) {
    plain.Many(kDigitsAndMarks);
    if (plain.One(".")) {
      plain.Many(kDigitsAndMarks);
      if (exponent(plain) && plain.AtEnd()) return true;
    } else if (Sexagesimals(&plain) && plain.One(".")) {
      plain.Many(kDigitsAndMarks);
      if (plain.AtEnd()) return true;
    }
  }
  Cursor dotted(text);
  if (dotted.One(".") && dotted.One(kDigits)) {
    dotted.Many(kDigitsAndMarks);
    if (exponent(dotted) && dotted.AtEnd()) return true;
  }
  return false;
}

// The words for what is not finite, in Python's spelling.
std::optional<std::string> AsSpecialFloat(const std::string& text) {
  static const std::set<std::string> infinities = {".inf", ".Inf", ".INF"};
  static const std::set<std::string> nans = {".nan", ".NaN", ".NAN"};
  if (nans.contains(text)) return "nan";
  const bool has_sign = !text.empty() && (text[0] == '-' || text[0] == '+');
  if (!infinities.contains(has_sign ? text.substr(1) : text)) return std::nullopt;
  return text[0] == '-' ? "-inf" : "inf";
}

std::string FloatText(const std::string& text) {
  std::string digits = WithoutMarks(text);
  if (digits[0] == '+') digits.erase(0, 1);
  if (digits.find(':') == std::string::npos) return digits;
  const bool is_negative = digits[0] == '-';
  const double value = Sexagesimal(is_negative ? digits.substr(1) : digits);
  return fmt::format("{}", is_negative ? -value : value);
}

}  // namespace

Scalar ResolveScalar(const YamlNode& node) {
  if (!node.is_plain || node.text.empty()) return {ValueType::kString, node.text};
  if (const std::optional<bool> boolean = AsBoolean(node.text)) {
    return {ValueType::kBoolean, *boolean ? "True" : "False"};
  }
  if (const int base = IntegerBase(node.text); base != 0) {
    return {ValueType::kInteger, IntegerText(node.text, base)};
  }
  if (const std::optional<std::string> special = AsSpecialFloat(node.text)) {
    return {ValueType::kNumber, *special};
  }
  if (IsFloat(node.text)) return {ValueType::kNumber, FloatText(node.text)};
  return {ValueType::kString, node.text};
}

std::string TextFor(const YamlNode& node, ValueType type) {
  const Scalar scalar = ResolveScalar(node);
  switch (scalar.type) {
    case ValueType::kBoolean:
      if (type == ValueType::kBoolean) return scalar.text;
      return IsTrueOrFalse(node.text) ? scalar.text : node.text;
    case ValueType::kInteger:
    case ValueType::kNumber:
      return type == ValueType::kInteger || type == ValueType::kNumber ? scalar.text : node.text;
    default:
      return node.text;
  }
}

std::string VersionText(const YamlNode* scalar) {
  return scalar == nullptr
             ? ""
             : TextFor(*scalar,
                       IntegerBase(scalar->text) == 0 ? ValueType::kString : ValueType::kInteger);
}

}  // namespace potok::client
