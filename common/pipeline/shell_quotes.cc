// Quotes, variables and arithmetic (shell_scanner.h).
#include <cstring>

#include "absl/status/status.h"
#include "common/base/status_macros.h"
#include "common/pipeline/names.h"
#include "common/pipeline/shell_scanner.h"

namespace potok {

namespace {

// bash(1): in `...` a backslash keeps its meaning but before $, ` and \; inside "..." also before
// ".
std::string Unescaped(const std::string& text, bool in_double) {
  const char* escapable = in_double ? "$`\\\"" : "$`\\";
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escapes = text[i] == '\\' && i + 1 < text.size() && text[i + 1] != '\0' &&
                         std::strchr(escapable, text[i + 1]) != nullptr;
    if (escapes) ++i;
    plain.push_back(text[i]);
  }
  return plain;
}

}  // namespace

absl::Status ShellScanner::ScanDouble() {
  const std::size_t begin = position_;
  Take(1);
  while (!AtEnd() && At() != '"') POTOK_RETURN_IF_ERROR(ScanPart(true, Quoting::kDouble));
  if (AtEnd()) return NotClosed(begin, "\"");
  Take(1);
  return absl::OkStatus();
}

absl::Status ShellScanner::ScanSingle() {
  const std::size_t begin = position_;
  Take(1);
  while (!AtEnd() && At() != '\'') {
    if (AtReference()) {
      POTOK_RETURN_IF_ERROR(ScanReference(Quoting::kSingle));
    } else {
      Take(1);
    }
  }
  if (AtEnd()) return NotClosed(begin, "'");
  Take(1);
  return absl::OkStatus();
}

absl::Status ShellScanner::ScanAnsi() {
  const std::size_t begin = position_;
  Take(2);
  while (!AtEnd() && At() != '\'') {
    if (AtReference()) {
      POTOK_RETURN_IF_ERROR(ScanReference(Quoting::kAnsi));
    } else if (At() == '\\') {
      POTOK_RETURN_IF_ERROR(ScanEscape());
    } else {
      Take(1);
    }
  }
  if (AtEnd()) return NotClosed(begin, "'");
  Take(1);
  return absl::OkStatus();
}

absl::Status ShellScanner::ScanBackticks(bool in_double) {
  const std::size_t begin = position_;
  std::size_t end = position_ + 1;
  while (end < text_.size() && text_[end] != '`') end += text_[end] == '\\' ? 2 : 1;
  if (end >= text_.size()) return NotClosed(begin, "`");
  const std::string inside = text_.substr(begin + 1, end - begin - 1);
  if (inside.find("${{") == std::string::npos) {
    Take(end + 1 - begin);
    return absl::OkStatus();
  }
  const std::size_t escaped = inside.find("\\${{");
  if (escaped != std::string::npos) {
    return Refuse(begin + 1 + escaped, "a backslash stands before it; remove the backslash");
  }
  // The same command in the other spelling, which needs no second level of backslashes. The blank
  // keeps a bracket from making it "$((", the newline ends a comment.
  Write("$( ");
  ShellScanner scanner(Unescaped(inside, in_double), pieces_, depth_ + 1);
  POTOK_RETURN_IF_ERROR(scanner.ScanCommands());
  Write("\n)");
  position_ = end + 1;
  return absl::OkStatus();
}

// A name, a number or one of bash's special characters; nothing before a reference.
void ShellScanner::TakeParameterName() {
  const std::size_t name = position_;
  while (IsVariableName(std::string("_") + At())) Take(1);
  if (position_ == name && At() != '\0' && std::strchr("@*#?$!-", At()) != nullptr &&
      !AtReference()) {
    Take(1);
  }
}

// ${name}, ${name[subscript]}, ${name:offset:length}, ${name<operator>word}.
absl::Status ShellScanner::ScanParameter(bool in_double) {
  POTOK_RETURN_IF_ERROR(Enter());
  const std::size_t begin = position_;
  Take(2);
  if (At() == ' ' || At() == '\t' || At() == '\n' || At() == '|') {
    return Refuse(begin, "bash knows no such expansion; write $(...) to run a command");
  }
  const bool is_prefix = (At() == '!' || At() == '#') && At(1) != '}';
  if (is_prefix) Take(1);
  TakeParameterName();
  if (AtReference()) {
    return Refuse(position_, "it would name a variable; write ${!x} with x=${{...}} before it");
  }
  if (At() == '[') {
    Take(1);
    POTOK_RETURN_IF_ERROR(ScanArithmetic('[', ']', false));
  }
  if (AtReference()) return Refuse(position_, "an operator such as :- or # has to stand before it");
  if (At() == ':' && (At(1) == '\0' || std::strchr("-=?+", At(1)) == nullptr)) {
    Take(1);
    --depth_;
    return ScanArithmetic('{', '}', false);
  }
  const bool is_pattern = At() != '\0' && std::strchr("#%/^,~", At()) != nullptr;
  POTOK_RETURN_IF_ERROR(ScanParameterWord(in_double, is_pattern));
  if (AtEnd()) return NotClosed(begin, "}");
  Take(1);
  --depth_;
  return absl::OkStatus();
}

// Up to the '}'. Inside "..." a value is not quoted again, but in a pattern it must be: there a
// quoted text stands for itself, and a bare one may hold wildcards.
absl::Status ShellScanner::ScanParameterWord(bool in_double, bool is_pattern) {
  const Quoting quoting = in_double && !is_pattern ? Quoting::kDouble : Quoting::kNone;
  const bool has_single_quotes = !in_double || is_pattern;
  const auto scan_one = [&] {
    if (At() == '"') return ScanDouble();
    if (At() == '\'' && has_single_quotes) return ScanSingle();
    return ScanPart(!has_single_quotes, quoting);
  };
  while (!AtEnd() && At() != '}') POTOK_RETURN_IF_ERROR(scan_one());
  return absl::OkStatus();
}

absl::Status ShellScanner::ScanArithmetic(char open, char close, bool closes_twice) {
  POTOK_RETURN_IF_ERROR(Enter());
  const std::size_t begin = position_;
  ++arithmetic_;
  int depth = 0;
  while (!AtEnd() && (At() != close || depth > 0)) {
    depth += (At() == open ? 1 : 0) - (At() == close ? 1 : 0);
    POTOK_RETURN_IF_ERROR(At() == '"' ? ScanDouble() : ScanPart(true, Quoting::kArithmetic));
  }
  if (AtEnd()) return NotClosed(begin, closes_twice ? "))" : std::string(1, close).c_str());
  if (closes_twice && At(1) != ')') {
    return absl::InvalidArgumentError(
        "'((' in the command is closed by two brackets that stand apart; write '( (' for a subshell"
        " in a subshell");
  }
  Take(closes_twice ? 2 : 1);
  --arithmetic_;
  --depth_;
  return absl::OkStatus();
}

}  // namespace potok
