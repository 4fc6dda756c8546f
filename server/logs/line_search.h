// Lines of a log that match a regular expression, with those around them. Time is linear in the
// log (RE2), memory bounded.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace re2 {
class RE2;
}

namespace potok::server {

struct FoundLine {
  std::int64_t number = 0;  // from 1
  std::int64_t offset = 0;  // of the log
  std::string text;         // without its end
  bool is_match = false;    // false: one around a match

  bool operator==(const FoundLine&) const = default;
};

// A pattern, shared by searches. Immutable; thread-safe.
class LinePattern {
 public:
  // INVALID_ARGUMENT says what is wrong with it, and at which byte.
  static absl::StatusOr<std::shared_ptr<const LinePattern>> Compile(const std::string& pattern,
                                                                    bool ignore_case);
  ~LinePattern();

  // The first byte of [at, end) of `text` where a match begins, `end` included for an empty one; a
  // match never spans lines. npos if there is none.
  std::size_t Find(const std::string& text, std::size_t at, std::size_t end) const;

 private:
  LinePattern() = default;
  std::unique_ptr<re2::RE2> expression_;
};

// One search through one log. A value; pure.
class LineSearch {
 public:
  // Beyond this a line is looked at in parts.
  static constexpr std::size_t kLineBytesMax = std::size_t{1} << 20;

  // Begins at `offset`, where a line begins that has `lines_before` before it.
  LineSearch(std::shared_ptr<const LinePattern> pattern,
             std::size_t context_lines,
             std::int64_t offset,
             std::int64_t lines_before);

  // The next bytes: what lines of them match is added to `found`, or only counted if that is null.
  void Add(const std::string& data, std::vector<FoundLine>* found);
  // No more bytes come: what follows the last end of a line is a line.
  void End(std::vector<FoundLine>* found);

  std::int64_t matches() const { return matches_; }
  // All before this byte of the log was looked at.
  std::int64_t read_to() const { return base_ + static_cast<std::int64_t>(done_); }

 private:
  void Search(std::size_t end, bool ends_line, std::vector<FoundLine>* found);
  void Show(std::size_t from, std::size_t to, bool is_match, std::vector<FoundLine>* found);
  void ShowAround(std::size_t line, std::vector<FoundLine>* found);
  void ShowRest(std::size_t end, std::vector<FoundLine>* found);
  std::int64_t NumberAt(std::size_t line);
  void DropOld();

  std::shared_ptr<const LinePattern> pattern_;
  std::size_t context_lines_;
  std::string buffer_;       // some lines for context, then what is not yet searched
  std::int64_t base_;        // of buffer_ in the log
  std::size_t done_ = 0;     // of buffer_: a line begins here, all before was searched
  std::size_t shown_ = 0;    // of buffer_: a line begins here, all before was shown or passed
  std::size_t to_show_ = 0;  // lines that are still to be shown after the last match
  std::size_t counted_ = 0;  // of buffer_: a line begins here, of which the number is known
  std::int64_t number_;      // lines before that
  std::int64_t matches_ = 0;
};

}  // namespace potok::server
