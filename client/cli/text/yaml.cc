#include <algorithm>
#include <cctype>
#include <set>

#include "client/cli/text/printable.h"
#include "client/cli/text/value.h"

namespace potok::client {
namespace {

// Words that some version of YAML reads as a boolean or as nothing (yaml.org/type/bool.html).
bool IsYamlWord(const std::string& text) {
  static const std::set<std::string> kWords = {
      "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"};
  std::string lower;
  for (const char c : text) {
    lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return kWords.contains(lower);
}

// True for text that needs no quotes: it starts with a letter, '/' or '_' and holds nothing that
// YAML gives a meaning to. A word like 1e3 or 12:30 starts with a digit and is quoted.
bool IsPlain(const std::string& text) {
  if (text.empty() || text.back() == ' ' || IsYamlWord(text)) return false;
  const auto is_letter = [](char c) {
    return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '/';
  };
  if (!is_letter(text.front())) return false;
  for (const char c : text) {
    const bool fine = is_letter(c) || std::isdigit(static_cast<unsigned char>(c)) != 0 ||
                      std::string(" .-+=()").find(c) != std::string::npos;
    if (!fine) return false;
  }
  return true;
}

std::string Scalar(const Value& value) {
  if (value.IsNull()) return "null";
  if (const std::string* text = value.AsText()) return IsPlain(*text) ? *text : JsonQuoted(*text);
  if (const Array* array = value.AsArray(); array != nullptr && array->empty()) return "[]";
  if (const Object* object = value.AsObject(); object != nullptr && object->empty()) return "{}";
  return ScalarText(value);
}

bool IsBlock(const Value& value) {
  const Array* array = value.AsArray();
  const Object* object = value.AsObject();
  return (array != nullptr && !array->empty()) || (object != nullptr && !object->empty());
}

// Text of several lines that a literal block ("|", YAML 1.2, 8.1.2) keeps as it is in every
// version: the first line is not indented, the end is clear, nothing in it is invisible or another
// line break.
bool FitsBlock(const std::string& text) {
  if (text.find('\n') == std::string::npos || text.front() == '\n' || text.front() == ' ')
    return false;
  const std::string end = text.substr(text.size() - 2);
  if (end.back() == ' ' || end == "\n\n" || end == " \n") return false;
  for (const char* odd : {"\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xef\xbb\xbf"}) {
    if (text.find(odd) != std::string::npos) return false;
  }
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\n') || byte == 0x7f;
  });
}

void WriteBlockText(const std::string& text, std::size_t indent, std::string* out) {
  const bool ends_in_newline = text.back() == '\n';
  *out += ends_in_newline ? "|\n" : "|-\n";
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) out->append(indent, ' ').append(text, at, end - at);
    *out += "\n";
    at = end + 1;
  }
}

constexpr std::size_t kPlainKeyBytesMax = 1000;

// What stands behind "key:" or "- ", and is no block.
void WriteScalar(const Value& value, std::size_t indent, YamlStyle style, std::string* out) {
  const std::string* text = value.AsText();
  if (style.blocks && text != nullptr && text->size() > 1 && FitsBlock(*text)) {
    WriteBlockText(*text, indent, out);
  } else {
    *out += Scalar(value) + "\n";
  }
}

void WriteBlock(const Value& value,
                std::size_t indent,
                bool first_line_started,
                YamlStyle style,
                std::string* out) {
  const auto start_line = [&](bool first) {
    if (!first || !first_line_started) out->append(indent, ' ');
  };
  bool first = true;
  if (const Array* array = value.AsArray()) {
    for (const Value& item : *array) {
      start_line(first);
      first = false;
      *out += "- ";
      if (IsBlock(item)) {
        WriteBlock(item, indent + 2, true, style, out);
      } else {
        WriteScalar(item, indent + 2, style, out);
      }
    }
    return;
  }
  for (const auto& [key, member] : *value.AsObject()) {
    start_line(first);
    first = false;
    const std::string written = Scalar(Value(key));
    // A longer one must be marked as a key beforehand (YAML 1.2, 7.4.3).
    if (written.size() > kPlainKeyBytesMax) {
      *out += "? " + written + "\n" + std::string(indent, ' ') + ":";
    } else {
      *out += written + ":";
    }
    if (IsBlock(member)) {
      *out += "\n";
      WriteBlock(member, indent + 2, false, style, out);
    } else {
      *out += " ";
      WriteScalar(member, indent + 2, style, out);
    }
  }
}

}  // namespace

std::string ToYaml(const Value& value, YamlStyle style) {
  if (!IsBlock(value)) return Scalar(value) + "\n";
  std::string out;
  WriteBlock(value, 0, false, style, &out);
  return out;
}

}  // namespace potok::client
