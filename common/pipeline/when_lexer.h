// The words of a `when` expression (when.h). Pure.
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

}  // namespace potok
