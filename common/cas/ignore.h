// .amlignore and .gitignore of a code snapshot (gitwildmatch). Only the root folder's file counts;
// .amlignore wins over .gitignore, they are not merged (reference: Azure ML code snapshots).
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"

namespace potok {

// The predicate for SnapshotOptions::ignored for the code folder `path`; never ignores when there
// is no such file.
absl::StatusOr<std::function<bool(const std::string&)>> IgnoreRulesOf(const std::string& path);

}  // namespace potok
