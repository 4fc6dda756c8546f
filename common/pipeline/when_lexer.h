// The words of a `when` expression (when.h) and of one over labels (label_expression.h). Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace potok {

struct WhenToken {
  enum class Kind {
    kWord,    // a name, dotted or not: failed, and, jobs.train.status
    kNumber,  // 1e-3
    kText,    // 'it''s', without the quotes
    kSign,    // ( ) , == != < <= > >= && || !
    kEnd,
  };
  Kind kind = Kind::kEnd;
  std::string text;
  std::size_t begin = 0;
  std::size_t end = 0;
};

// Cuts `text` into tokens, of which the last is kEnd. `${{` and `}}` are brackets. INVALID_ARGUMENT
// quotes what is none.
absl::StatusOr<std::vector<WhenToken>> WhenTokens(const std::string& text);

// The same, where words and numbers may also hold the characters of `in_words`. `*stop` becomes
// where the first begins that is no token, which ends the list without kEnd; or npos.
std::vector<WhenToken> TokensOf(const std::string& text,
                                const std::string& in_words,
                                std::size_t* stop);

}  // namespace potok
