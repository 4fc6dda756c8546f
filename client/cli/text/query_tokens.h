// The words of a query. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/text/value.h"

namespace potok::client {

struct Token {
  enum class Kind {
    kEnd,
    kName,
    kQuotedName,
    kNumber,
    kLiteral,
    kFlatten,  // []
    kFilter,   // [?
    kCompare,  // == != < <= > >=
    kOr,
    kAnd,
    kMark,  // one character: . * ] [ , : @ ( ) { } | & !
  };
  Kind kind = Kind::kEnd;
  std::size_t at = 0;  // byte of the query
  std::string text;
  std::int64_t number = 0;
  Value literal;

  bool IsMark(char mark) const { return kind == Kind::kMark && text[0] == mark; }
};

// How strongly a sign binds what is on its left. The order is JMESPath's; what binds less than
// kEndsProjection is no part of what is done with each item of a projection.
enum Binding {
  kNothing = 0,
  kPipe = 1,
  kOrElse = 2,
  kAndAlso = 3,
  kComparison = 5,
  kFlattening = 9,
  kEndsProjection = 10,
  kStar = 20,
  kFiltering = 21,
  kDot = 40,
  kNegation = 45,
  kBrace = 50,
  kBracket = 55,
  kCalling = 60,
};

Binding BindingOf(const Token& token);

// All tokens, the last of kind kEnd; or QueryError.
absl::StatusOr<std::vector<Token>> TokensOf(const std::string& query);

}  // namespace potok::client
