// What `job update` asks for, out of Azure's --set, --add and --remove. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "potok/v1/runs.pb.h"

namespace potok::client {

// As they were typed: "tags.team=vision"; to remove, "tags.team".
struct Assignments {
  std::vector<std::string> set;
  std::vector<std::string> add;
  std::vector<std::string> remove;
};

// INVALID_ARGUMENT for what cannot be changed, or nothing to change. A tag's name may have dots; a
// later assignment of the same thing wins.
absl::StatusOr<v1::UpdateRunRequest> UpdateRequest(const std::string& run,
                                                   const Assignments& assignments);

}  // namespace potok::client
