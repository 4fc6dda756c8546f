#include "common/pipeline/shell_scanner.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok {

namespace {

// Deeper nesting than any person writes, and far from the end of the stack.
constexpr int kDepthMax = 200;

bool IsNameCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

bool IsBlank(char c) {
  return c == ' ' || c == '\t';
}

}  // namespace

bool ShellScanner::SplitBeforeAnyOf(const char* next) const {
  std::size_t offset = 1;
  while (At(offset) == '\\' && At(offset + 1) == '\n') offset += 2;
  return offset > 1 && At(offset) != '\0' && std::strchr(next, At(offset)) != nullptr;
}

void ShellScanner::Write(const std::string& text) {
  if (pieces_->empty() || !std::holds_alternative<std::string>(pieces_->back())) {
    pieces_->emplace_back(std::string());
  }
  std::get<std::string>(pieces_->back()) += text;
}

void ShellScanner::Take(std::size_t count) {
  Write(text_.substr(position_, count));
  position_ = std::min(position_ + count, text_.size());
}

absl::Status ShellScanner::Refuse(std::size_t begin, const std::string& why) const {
  const std::size_t close = text_.find("}}", begin);
  const std::size_t size = close == std::string::npos ? 40 : close + 2 - begin;
  return absl::InvalidArgumentError(
      fmt::format("the command cannot take a value at '{}': {}", text_.substr(begin, size), why));
}

absl::Status ShellScanner::NotClosed(std::size_t begin, const char* close) const {
  return absl::InvalidArgumentError(fmt::format(
      "'{}' in the command is not closed; end it with {}", text_.substr(begin, 40), close));
}

absl::Status ShellScanner::Enter() {
  if (++depth_ <= kDepthMax) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("the command nests more than {} brackets", kDepthMax));
}

absl::Status ShellScanner::ScanCommandsUntil(char close, Within within) {
  POTOK_RETURN_IF_ERROR(Enter());
  const std::size_t begin = position_;
  const ShellWords outer_words = std::exchange(words_, ShellWords());
  const int outer_arithmetic = std::exchange(arithmetic_, 0);
  const Within outer_within = std::exchange(within_, within);
  bool closed = false;
  while (!closed && !AtEnd()) {
    if (At() == ')') {
      words_.End(text_, position_);  // "esac)" ends the pattern before the bracket is judged
      closed = close == ')' && !words_.in_pattern();
    }
    if (!closed) POTOK_RETURN_IF_ERROR(ScanInCommand());
  }
  if (close != '\0' && !closed) return NotClosed(begin, ")");
  if (closed) Take(1);
  words_ = outer_words;
  arithmetic_ = outer_arithmetic;
  within_ = outer_within;
  --depth_;
  return absl::OkStatus();
}

absl::Status ShellScanner::ScanInCommand() {
  const char c = At();
  if (c == '#' && !words_.in_word()) {
    TakeComment();
    return absl::OkStatus();
  }
  if (c == '(') return ScanOpeningParenthesis();
  if (c == '<' || c == '>') return ScanAngle();
  if (c == '\\' && At(1) == '\n') {
    Take(2);
    return absl::OkStatus();
  }
  if (IsBlank(c) || std::strchr("\n;&|)", c) != nullptr) {
    TakeSeparator();
    return c == '\n' ? ScanHereDocuments() : absl::OkStatus();
  }
  words_.Begin(position_);
  if (c == '"') return ScanDouble();
  if (c == '\'') return ScanSingle();
  return ScanPart(false, Quoting::kNone);
}

void ShellScanner::TakeSeparator() {
  words_.End(text_, position_);
  const char c = At();
  Take(1);
  if (IsBlank(c)) return;
  if (c == ')') {
    words_.EndPattern();
    return;
  }
  words_.StartCommand();
  // ";;", ";&" and ";;&" end a clause of `case`.
  if (c == ';' && words_.in_case() && (At() == ';' || At() == '&')) {
    while (At() == ';' || At() == '&') Take(1);
    words_.StartPattern();
  }
}

// References in a comment stay as they are: nothing reads them.
void ShellScanner::TakeComment() {
  Take(std::min(text_.find('\n', position_), text_.size()) - position_);
}

absl::Status ShellScanner::ScanOpeningParenthesis() {
  const bool in_word = words_.in_word();
  if (words_.in_pattern() && !in_word) {
    Take(1);  // "(a)" is a whole pattern; "@(a|b)" is not
    return absl::OkStatus();
  }
  if (SplitBeforeAnyOf("(")) {
    return Refuse(position_, "a line ends between two opening brackets; write them on one line");
  }
  if (At(1) == '(') {
    Take(2);
    words_.StartArgument();
    return ScanArithmetic('(', ')', true);
  }
  Take(1);
  POTOK_RETURN_IF_ERROR(ScanCommandsUntil(')', in_word ? Within::kWord : Within::kCommands));
  if (!in_word) words_.StartArgument();
  return absl::OkStatus();
}

absl::Status ShellScanner::ScanAngle() {
  words_.End(text_, position_);
  words_.StartArgument();
  const char c = At();
  if (SplitBeforeAnyOf("<(")) {
    return Refuse(position_, "a line ends inside an operator; write the operator on one line");
  }
  if (At(1) == '(') {
    Take(2);
    return ScanSubstitution();
  }
  if (c == '<' && At(1) == '<') {
    if (At(2) != '<') return ScanHereOperator();
    Take(3);
    return absl::OkStatus();
  }
  Take(1);
  return absl::OkStatus();
}

absl::Status ShellScanner::ScanPart(bool in_double, Quoting quoting) {
  if (AtReference()) return ScanReference(quoting);
  switch (At()) {
    case '\\':
      return ScanEscape();
    case '$':
      return ScanDollar(in_double);
    case '`':
      return ScanBackticks(in_double);
    default:
      Take(1);
      return absl::OkStatus();
  }
}

absl::Status ShellScanner::ScanReference(Quoting quoting) {
  const std::size_t close = text_.find("}}", position_);
  const std::size_t end = close == std::string::npos ? text_.size() : close + 2;
  const std::string spelling = text_.substr(position_, end - position_);
  POTOK_ASSIGN_OR_RETURN(const std::vector<TemplatePart> parts,
                         ParseTemplate(spelling, TemplatePlace::kCommand));
  const Quoting place = IsComputed() ? Quoting::kArithmetic : quoting;
  pieces_->emplace_back(ShellReference{std::get<Expression>(parts.front()), spelling, place});
  position_ = end;
  return absl::OkStatus();
}

bool ShellScanner::IsComputed() const {
  if (arithmetic_ > 0) return true;
  if (!words_.in_word()) return false;
  // `name[` at the start of a word, or `[` in the list of an array: bash computes the subscript. In
  // other places a word that begins with `[` is a pattern of file names.
  std::size_t i = words_.begin();
  while (i < position_ && IsNameCharacter(text_[i])) ++i;
  if (i >= position_ || text_[i] != '[') return false;
  if (i == words_.begin() && within_ == Within::kCommands) return false;
  const auto begin = text_.begin() + static_cast<std::ptrdiff_t>(i);
  const auto end = text_.begin() + static_cast<std::ptrdiff_t>(position_);
  return std::count(begin, end, '[') > std::count(begin, end, ']');
}

absl::Status ShellScanner::ScanEscape() {
  if (AtReference(1)) {
    return Refuse(position_, "a backslash stands before it; remove the backslash");
  }
  Take(2);
  return absl::OkStatus();
}

absl::Status ShellScanner::ScanDollar(bool in_double) {
  const char next = At(1);
  if (AtReference(1)) {
    return Refuse(position_, "a dollar sign stands before it; write \\$ for a dollar sign");
  }
  if (SplitBeforeAnyOf("({['\"$`")) {
    return Refuse(position_, "a line ends after a dollar sign; join the two lines");
  }
  if (next == '(' && At(2) == '(') {
    Take(3);
    return ScanArithmetic('(', ')', true);
  }
  if (next == '(') {
    ++position_;
    if (SplitBeforeAnyOf("(")) {
      return Refuse(position_, "a line ends between two opening brackets; join the two lines");
    }
    --position_;
    Take(2);
    return ScanSubstitution();
  }
  if (next == '{') return ScanParameter(in_double);
  if (next == '[') {
    Take(2);
    return ScanArithmetic('[', ']', false);
  }
  if (!in_double && next == '\'') return ScanAnsi();
  if (!in_double && next == '"') {
    Take(1);
    return ScanDouble();
  }
  Take(next == '$' ? 2 : 1);
  return absl::OkStatus();
}

// Its here-documents are its own: those of the command around it begin after a newline outside.
absl::Status ShellScanner::ScanSubstitution() {
  const std::size_t begin = position_;
  const std::vector<HereDocument> outer = std::exchange(pending_, {});
  POTOK_RETURN_IF_ERROR(ScanCommandsUntil(')'));
  if (!pending_.empty()) return NotClosed(begin, "a newline and the here-document's text");
  pending_ = outer;
  return absl::OkStatus();
}

}  // namespace potok
