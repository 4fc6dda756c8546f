// An expression of JMESPath (https://jmespath.org/specification.html) as a tree. Plain values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/text/value.h"

namespace potok::client {

struct Expression {
  enum class Kind {
    kCurrent,          // @, and what stands for nothing
    kField,            // text
    kIndex,            // slice[0] is the index
    kSlice,            // slice: from, to, step
    kLiteral,          // literal
    kThen,             // a, then b with the result: "a.b", "a[0]", "a | b"
    kProject,          // each item of the array a, through b
    kProjectValues,    // each value of the object a, through b
    kProjectFiltered,  // each item of the array a for which c holds, through b
    kFlatten,          // the array a, arrays in it replaced by their items
    kList,             // [a, b]
    kObject,           // {keys[0]: a, keys[1]: b}
    kOr,
    kAnd,
    kNot,
    kCompare,    // text is the operator
    kCall,       // the function text with these arguments
    kReference,  // &a, an argument of some functions
  };
  Kind kind = Kind::kCurrent;
  std::size_t at = 0;  // byte of the query where it starts, for errors
  std::string text;
  Value literal;
  std::array<std::optional<std::int64_t>, 3> slice;
  std::vector<std::string> keys;
  std::vector<Expression> children;
};

Expression Node(Expression::Kind kind, std::size_t at, std::vector<Expression> children = {});

// INVALID_ARGUMENT shows the query, and points to the character at byte `at`.
absl::Status QueryError(const std::string& query, std::size_t at, const std::string& what);

// The tree of a query, or QueryError.
absl::StatusOr<Expression> ParseQuery(const std::string& query);

}  // namespace potok::client
