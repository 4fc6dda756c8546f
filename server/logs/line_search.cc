#include "server/logs/line_search.h"

#include <re2/re2.h>

#include <algorithm>

#include "fmt/format.h"
#include "server/logs/lines.h"

namespace potok::server {
namespace {

constexpr std::size_t kPatternBytesMax = 4096;
// Context is kept up to this.
constexpr std::size_t kContextBytesMax = std::size_t{1} << 20;

RE2::Options OptionsOf(bool ignore_case) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_case_sensitive(!ignore_case);
  options.set_never_nl(true);
  return options;
}

// Of a parenthesis without its partner RE2 names only the whole pattern.
std::size_t PlaceOfLoneParenthesis(const std::string& pattern) {
  std::vector<std::size_t> open;
  bool in_class = false;
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    const char c = pattern[at];
    if (c == '\\') {
      ++at;
    } else if (in_class) {
      in_class = c != ']';
    } else if (c == '[') {
      in_class = true;
    } else if (c == '(') {
      open.push_back(at);
    } else if (c == ')') {
      if (open.empty()) return at;
      open.pop_back();
    }
  }
  return open.empty() ? 0 : open.back();
}

std::size_t PlaceOfError(const std::string& pattern, const RE2& expression) {
  if (expression.error_code() == RE2::ErrorMissingParen ||
      expression.error_code() == RE2::ErrorUnexpectedParen) {
    return PlaceOfLoneParenthesis(pattern);
  }
  const std::size_t at = pattern.find(expression.error_arg());
  return at == std::string::npos ? 0 : at;
}

}  // namespace

LinePattern::~LinePattern() = default;

absl::StatusOr<std::shared_ptr<const LinePattern>> LinePattern::Compile(const std::string& pattern,
                                                                        bool ignore_case) {
  if (pattern.size() > kPatternBytesMax) {
    return absl::InvalidArgumentError(fmt::format(
        "the pattern has {} bytes; at most {} are taken", pattern.size(), kPatternBytesMax));
  }
  const RE2 alone(pattern, OptionsOf(ignore_case));
  if (!alone.ok()) {
    return absl::InvalidArgumentError(
        fmt::format("the pattern '{}' is no regular expression (RE2): at character {}: {}",
                    pattern,
                    PlaceOfError(pattern, alone) + 1,
                    alone.error()));
  }
  auto made = std::shared_ptr<LinePattern>(new LinePattern);
  // Many lines are searched at once: ^ and $ are then those of each.
  made->expression_ = std::make_unique<RE2>("(?m)" + pattern, OptionsOf(ignore_case));
  if (!made->expression_->ok()) {
    return absl::InvalidArgumentError("the pattern is too large: " + made->expression_->error());
  }
  return made;
}

std::size_t LinePattern::Find(const std::string& text, std::size_t at, std::size_t end) const {
  re2::StringPiece match;
  if (!expression_->Match(text, at, end, RE2::UNANCHORED, &match, 1)) return std::string::npos;
  return static_cast<std::size_t>(match.data() - text.data());
}

LineSearch::LineSearch(std::shared_ptr<const LinePattern> pattern,
                       std::size_t context_lines,
                       std::int64_t offset,
                       std::int64_t lines_before)
    : pattern_(std::move(pattern)),
      context_lines_(context_lines),
      base_(offset),
      number_(lines_before) {}

void LineSearch::Add(const std::string& data, std::vector<FoundLine>* found) {
  const std::size_t end = data.rfind('\n');
  const std::size_t last = end == std::string::npos ? std::string::npos : buffer_.size() + end;
  buffer_ += data;
  if (last != std::string::npos) Search(last, /*ends_line=*/true, found);
  if (buffer_.size() - done_ > kLineBytesMax) Search(buffer_.size(), /*ends_line=*/false, found);
  DropOld();
}

void LineSearch::End(std::vector<FoundLine>* found) {
  if (done_ < buffer_.size()) Search(buffer_.size(), /*ends_line=*/false, found);
}

// Searches the lines of [done_, end), the last of which ends with a '\n' at `end` or is a part.
void LineSearch::Search(std::size_t end, bool ends_line, std::vector<FoundLine>* found) {
  for (std::size_t at = done_; at <= end;) {
    const std::size_t match = pattern_->Find(buffer_, at, end);
    if (match == std::string::npos) break;
    const std::size_t before = match == at ? at : buffer_.rfind('\n', match - 1);
    const std::size_t line =
        match == at ? at : std::max(at, before == std::string::npos ? at : before + 1);
    const std::size_t line_end = std::min(end, buffer_.find('\n', match));
    ++matches_;
    at = line_end + 1;
    if (found == nullptr) continue;
    ShowAround(line, found);
    Show(line, line_end, /*is_match=*/true, found);
    shown_ = at;
    to_show_ = context_lines_;
  }
  if (found != nullptr) ShowRest(end, found);
  done_ = ends_line ? end + 1 : end;
  shown_ = std::min(shown_, done_);
}

void LineSearch::Show(std::size_t from,
                      std::size_t to,
                      bool is_match,
                      std::vector<FoundLine>* found) {
  found->push_back({NumberAt(from) + 1,
                    base_ + static_cast<std::int64_t>(from),
                    buffer_.substr(from, to - from),
                    is_match});
}

// What is shown before a match that begins in `line`: what is still due of the last one, and the
// lines before this.
void LineSearch::ShowAround(std::size_t line, std::vector<FoundLine>* found) {
  std::size_t begin = line;
  for (std::size_t i = 0; i < context_lines_ && begin > shown_; ++i) {
    const std::size_t end = begin < 2 ? std::string::npos : buffer_.rfind('\n', begin - 2);
    begin = std::max(shown_, end == std::string::npos ? 0 : end + 1);
  }
  while (shown_ < line) {
    const std::size_t end = std::min(line - 1, buffer_.find('\n', shown_));
    if (to_show_ > 0 || shown_ >= begin) {
      Show(shown_, end, /*is_match=*/false, found);
      if (to_show_ > 0) --to_show_;
    } else {
      shown_ = begin;
      continue;
    }
    shown_ = end + 1;
  }
}

void LineSearch::ShowRest(std::size_t end, std::vector<FoundLine>* found) {
  for (; to_show_ > 0 && shown_ <= end; --to_show_) {
    const std::size_t line_end = std::min(end, buffer_.find('\n', shown_));
    Show(shown_, line_end, /*is_match=*/false, found);
    shown_ = line_end + 1;
  }
}

std::int64_t LineSearch::NumberAt(std::size_t line) {
  const std::size_t from = std::min(counted_, line);
  const std::int64_t between = CountLines(buffer_.data() + from, std::max(counted_, line) - from);
  number_ += line < counted_ ? -between : between;
  counted_ = line;
  return number_;
}

// Keeps what is not searched, and before it the lines that may be shown around a match.
void LineSearch::DropOld() {
  std::size_t keep = done_;
  for (std::size_t i = 0; i < context_lines_ && keep > 0; ++i) {
    const std::size_t end = keep < 2 ? std::string::npos : buffer_.rfind('\n', keep - 2);
    const std::size_t begin = end == std::string::npos ? 0 : end + 1;
    if (done_ - begin > kContextBytesMax) break;
    keep = begin;
  }
  NumberAt(keep);
  buffer_.erase(0, keep);
  base_ += static_cast<std::int64_t>(keep);
  done_ -= keep;
  shown_ = std::max(shown_, keep) - keep;
  counted_ = 0;
}

}  // namespace potok::server
