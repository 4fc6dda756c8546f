// JSON (RFC 8259) as a tree, for the few values that are written so. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace potok {

struct JsonNode {
  enum class Kind { kNull, kBoolean, kNumber, kText, kList, kMap };
  Kind kind = Kind::kNull;
  std::string text;               // of a number as written; of a boolean "true" or "false"
  std::vector<JsonNode> items;    // of a list; of a map its values
  std::vector<std::string> keys;  // of a map, as written: one for each value; they may repeat
};

// INVALID_ARGUMENT with the offset of what is wrong. At most 100 levels.
absl::StatusOr<JsonNode> ParseJson(const std::string& text);

// Without blanks.
std::string CompactJson(const JsonNode& node);

}  // namespace potok
