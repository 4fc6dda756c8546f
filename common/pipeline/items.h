// What a ParallelFor goes over (control.h): JSON text as values. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace potok {

struct LoopItem {
  std::string label;                          // its key in a map; its number in a list, from "0"
  std::map<std::string, std::string> values;  // by input of the body, as a command sees them
};

// Items are a list of maps, or a map of maps, and all have the same keys. Of their values true and
// false are "True" and "False", numbers and texts are as written, null is none, and lists and maps
// are compact JSON. INVALID_ARGUMENT says what is wrong and where.
absl::StatusOr<std::vector<LoopItem>> ParseItems(const std::string& json);

}  // namespace potok
