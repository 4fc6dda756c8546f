#include "client/cli/text/printable.h"

#include <set>

#include "fmt/format.h"

namespace potok::client {
namespace {

// The second byte of a character, where not all of 0x80 to 0xBF may follow: shorter forms,
// surrogates and what lies beyond U+10FFFF are not valid.
unsigned LowestSecond(unsigned lead) {
  if (lead == 0xE0) return 0xA0;
  return lead == 0xF0 ? 0x90 : 0x80;
}
unsigned HighestSecond(unsigned lead) {
  if (lead == 0xED) return 0x9F;
  return lead == 0xF4 ? 0x8F : 0xBF;
}

// Bytes of the valid UTF-8 character at `at` (RFC 3629, section 4), or 0.
std::size_t Utf8Length(const std::string& text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto continues = [&](std::size_t i) { return byte(i) >= 0x80 && byte(i) <= 0xBF; };
  const unsigned lead = byte(at);
  if (lead < 0x80) return 1;
  if (byte(at + 1) < LowestSecond(lead) || byte(at + 1) > HighestSecond(lead)) return 0;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return continues(at + 2) ? 3 : 0;
  if (lead >= 0xF0 && lead <= 0xF4) return continues(at + 2) && continues(at + 3) ? 4 : 0;
  return 0;
}

// C0, DEL, and C1 (U+0080 to U+009F, which terminals may obey as well).
bool IsControl(const std::string& text, std::size_t at, std::size_t length) {
  const auto first = static_cast<unsigned char>(text[at]);
  if (length == 1) return first < 0x20 || first == 0x7F;
  return length == 2 && first == 0xC2 && static_cast<unsigned char>(text[at + 1]) < 0xA0;
}

}  // namespace

std::string Printable(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = Utf8Length(text, at);
    const std::size_t step = length == 0 ? 1 : length;
    if (length != 0 && (text[at] == '\t' || !IsControl(text, at, length))) {
      out.append(text, at, step);
    } else {
      for (std::size_t i = at; i < at + step; ++i) {
        out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[i]));
      }
    }
    at += step;
  }
  return out;
}

std::string PrintableLogLine(const std::string& line) {
  std::string text = line;
  if (!text.empty() && text.back() == '\r') text.pop_back();
  const std::size_t back = text.rfind('\r');
  return Printable(back == std::string::npos ? text : text.substr(back + 1));
}

std::string JsonQuoted(const std::string& text) {
  std::string out = "\"";
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = Utf8Length(text, at);
    const char c = text[at];
    if (length == 0) {
      out += "\xEF\xBF\xBD";
    } else if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (IsControl(text, at, length)) {
      const unsigned code = static_cast<unsigned char>(text[at + length - 1]);
      out += fmt::format("\\u{:04x}", code);
    } else {
      out.append(text, at, length);
    }
    at += length == 0 ? 1 : length;
  }
  return out + "\"";
}

std::size_t Columns(const std::string& text) {
  std::size_t columns = 0;
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) ++columns;
  }
  return columns;
}

std::string Shortened(const std::string& text, std::size_t columns) {
  if (Columns(text) <= columns) return text;
  if (columns == 0) return "";
  std::size_t at = 0;
  for (std::size_t taken = 0; taken + 1 < columns; ++taken) {
    const std::size_t length = Utf8Length(text, at);
    at += length == 0 ? 1 : length;
  }
  return text.substr(0, at) + "…";
}

std::string ShellQuoted(const std::string& word) {
  constexpr char kSafe[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./,:+@=";
  if (!word.empty() && word.find_first_not_of(kSafe) == std::string::npos) return word;
  std::string out;
  std::string literal;
  const auto flush = [&] {
    if (literal.empty()) return;
    out += "'" + literal + "'";
    literal.clear();
  };
  for (std::size_t at = 0; at < word.size();) {
    if (word.compare(at, 3, "${{") == 0) {
      const std::size_t end = word.find("}}", at);
      if (end != std::string::npos) {
        flush();
        out += word.substr(at, end + 2 - at);
        at = end + 2;
        continue;
      }
    }
    if (word[at] == '\'') {
      flush();
      out += "\\'";
    } else {
      literal += word[at];
      // "$[[" opens an optional block wherever it stands: cut in two it does not.
      if (word.compare(at, 3, "$[[") == 0) flush();
    }
    ++at;
  }
  flush();
  return out.empty() ? "''" : out;
}

std::string ShellCommandOf(const std::vector<std::string>& argv) {
  // As the first word these would be syntax (bash(1), "Reserved words", and assignments).
  static const std::set<std::string> kReserved = {"if",
                                                  "then",
                                                  "elif",
                                                  "else",
                                                  "fi",
                                                  "time",
                                                  "for",
                                                  "in",
                                                  "until",
                                                  "while",
                                                  "do",
                                                  "done",
                                                  "case",
                                                  "esac",
                                                  "coproc",
                                                  "select",
                                                  "function"};
  std::string out;
  for (std::size_t i = 0; i < argv.size(); ++i) {
    const bool syntax =
        i == 0 && (kReserved.contains(argv[0]) ||
                   (argv[0].find('=') != std::string::npos && ShellQuoted(argv[0]) == argv[0]));
    if (i != 0) out += ' ';
    out += syntax ? "'" + argv[0] + "'" : ShellQuoted(argv[i]);
  }
  return out;
}

}  // namespace potok::client
