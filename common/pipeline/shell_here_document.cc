// Here-documents (shell_scanner.h).
#include <algorithm>
#include <cstring>

#include "absl/status/status.h"
#include "common/base/status_macros.h"
#include "common/pipeline/names.h"
#include "common/pipeline/shell_scanner.h"

namespace potok {

namespace {

constexpr const char* kEndsWord = " \t\n;&|()<>";

// A delimiter as bash compares it: without quotes.
std::string WithoutQuotes(const std::string& word) {
  std::string plain;
  char quote = '\0';
  for (std::size_t i = 0; i < word.size(); ++i) {
    const char c = word[i];
    if (quote == '\0' && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == quote && quote != '\0') {
      quote = '\0';
    } else if (c == '\\' && quote != '\'' && i + 1 < word.size()) {
      plain.push_back(word[++i]);
    } else {
      plain.push_back(c);
    }
  }
  return plain;
}

std::string WithoutTabs(const std::string& line) {
  return line.substr(std::min(line.find_first_not_of('\t'), line.size()));
}

// True if the newline after `line` is escaped.
bool EndsInBackslash(const std::string& line) {
  const std::size_t last = line.find_last_not_of('\\');
  const std::size_t backslashes = line.size() - (last == std::string::npos ? 0 : last + 1);
  return backslashes % 2 == 1;
}

// Literal text of a quoted here-document, for one whose delimiter is bare.
std::string Escaped(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '$' || c == '`' || c == '\\') escaped.push_back('\\');
    escaped.push_back(c);
  }
  return escaped;
}

// A bare word that is no line of `body`.
std::string BareDelimiter(const std::string& wished, const std::string& body) {
  std::string delimiter = IsVariableName(wished) ? wished : "POTOK_EOF";
  while (body.find(delimiter) != std::string::npos) delimiter.push_back('_');
  return delimiter;
}

}  // namespace

absl::Status ShellScanner::ScanHereOperator() {
  HereDocument here;
  Take(2);
  if (At() == '-') {
    here.strips_tabs = true;
    Take(1);
  }
  while (At() == ' ' || At() == '\t') Take(1);
  const std::size_t begin = position_;
  char quote = '\0';
  while (!AtEnd() && (quote != '\0' || std::strchr(kEndsWord, At()) == nullptr)) {
    if (AtReference() || (quote != '\'' && (At() == '$' || At() == '`'))) {
      return Refuse(begin, "a here-document's delimiter has to be a plain word");
    }
    if (At() == '\\' && quote != '\'') {
      ++position_;
    } else if (quote == '\0' && (At() == '\'' || At() == '"')) {
      quote = At();
    } else if (At() == quote) {
      quote = '\0';
    }
    ++position_;
  }
  position_ = std::min(position_, text_.size());
  const std::string word = text_.substr(begin, position_ - begin);
  if (word.empty() || quote != '\0') return NotClosed(begin, "a here-document's delimiter");
  here.delimiter = WithoutQuotes(word);
  here.quoted = word.find_first_of("'\"\\") != std::string::npos;
  here.piece = pieces_->size();
  pieces_->emplace_back(word);
  pieces_->emplace_back(std::string());  // what follows does not join the delimiter
  pending_.push_back(here);
  return absl::OkStatus();
}

absl::Status ShellScanner::ScanHereDocuments() {
  std::vector<HereDocument> due;
  due.swap(pending_);
  for (const HereDocument& here : due) POTOK_RETURN_IF_ERROR(ScanHereDocument(here));
  return absl::OkStatus();
}

absl::Status ShellScanner::ScanHereDocument(const HereDocument& here) {
  std::size_t line_begin = position_;
  std::size_t next = position_;
  bool found = false;
  bool joined = false;
  while (!found && next < text_.size()) {
    line_begin = next;
    const std::size_t line_end = std::min(text_.find('\n', line_begin), text_.size());
    const std::string line = text_.substr(line_begin, line_end - line_begin);
    found = !joined && (here.strips_tabs ? WithoutTabs(line) : line) == here.delimiter;
    joined = !here.quoted && EndsInBackslash(line);
    next = std::min(line_end + 1, text_.size());
  }
  // bash takes the end of the text for a missing delimiter, with a warning.
  const std::size_t body_end = found ? line_begin : text_.size();
  const std::string body = text_.substr(position_, body_end - position_);
  const std::string closing_line = text_.substr(body_end, next - body_end);
  position_ = next;
  if (!here.quoted) {
    ShellScanner scanner(body, pieces_, depth_ + 1);
    POTOK_RETURN_IF_ERROR(scanner.ScanHereText());
    Write(closing_line);
    return absl::OkStatus();
  }
  if (body.find("${{") == std::string::npos) {
    Write(body + closing_line);
    return absl::OkStatus();
  }
  return RewriteQuoted(here, body, closing_line);
}

absl::Status ShellScanner::RewriteQuoted(const HereDocument& here,
                                         const std::string& body,
                                         const std::string& closing_line) {
  const std::string delimiter = BareDelimiter(here.delimiter, body);
  std::get<std::string>((*pieces_)[here.piece]) = delimiter;
  std::size_t begin = 0;
  while (begin < body.size()) {
    const std::size_t open = std::min(body.find("${{", begin), body.size());
    Write(Escaped(body.substr(begin, open - begin)));
    if (open == body.size()) break;
    ShellScanner scanner(body.substr(open), pieces_, depth_ + 1);
    POTOK_RETURN_IF_ERROR(scanner.ScanReference(Quoting::kHereDocument));
    begin = open + scanner.position_;
  }
  if (closing_line.empty()) return absl::OkStatus();
  Write(delimiter + (closing_line.back() == '\n' ? "\n" : ""));
  return absl::OkStatus();
}

absl::Status ShellScanner::ScanHereText() {
  while (!AtEnd()) POTOK_RETURN_IF_ERROR(ScanPart(true, Quoting::kHereDocument));
  return absl::OkStatus();
}

}  // namespace potok
