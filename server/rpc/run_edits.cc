#include "server/rpc/run_edits.h"

#include <map>
#include <string>
#include <vector>

#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::server {

namespace {

constexpr std::size_t kPairsMax = 1000;

template <class Set, class Removed>
absl::Status ChangePairs(const char* what,
                         const Set& set,
                         const Removed& removed,
                         std::map<std::string, std::string>* pairs) {
  for (const std::string& key : removed) {
    if (set.contains(key)) {
      return absl::InvalidArgumentError(
          fmt::format("the {} '{}' is both set and removed; do one of them", what, key));
    }
    if (pairs->erase(key) == 0) {
      std::vector<std::string> known;
      for (const auto& [name, value] : *pairs) known.push_back(name);
      return absl::NotFoundError(
          fmt::format("the run has no {} '{}' to remove; it has {}",
                      what,
                      key,
                      known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", "))));
    }
  }
  for (const auto& [key, value] : set) {
    if (key.empty()) return absl::InvalidArgumentError(fmt::format("a {} needs a name", what));
    (*pairs)[key] = value;
  }
  if (pairs->size() <= kPairsMax) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("a run can have {} of each, and this would be {}: a {} too many",
                  kPairsMax,
                  pairs->size(),
                  what));
}

// How a run came to be is told by properties that nobody may forge or take away.
absl::Status CheckNotOurs(const std::string& property) {
  if (property.rfind("potok.", 0) != 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("the property '{}' cannot be changed: those that begin with potok. say where a "
                  "run comes from",
                  property));
}

}  // namespace

absl::Status ApplyUpdate(const v1::UpdateRunRequest& request, RunRow& row) {
  for (const auto& [key, value] : request.set_properties()) {
    POTOK_RETURN_IF_ERROR(CheckNotOurs(key));
  }
  for (const std::string& key : request.remove_properties()) {
    POTOK_RETURN_IF_ERROR(CheckNotOurs(key));
  }
  if (request.has_display_name()) row.added.display_name = request.display_name();
  if (request.has_description()) row.added.description = request.description();
  if (request.has_experiment_name()) row.added.experiment_name = request.experiment_name();
  POTOK_RETURN_IF_ERROR(
      ChangePairs("tag", request.set_tags(), request.remove_tags(), &row.added.tags));
  return ChangePairs(
      "property", request.set_properties(), request.remove_properties(), &row.added.properties);
}

absl::Status SetArchived(bool archived, RunRow& row) {
  if (archived && !IsTerminal(row.status)) {
    return absl::FailedPreconditionError(
        fmt::format("the run {} has not ended; wait for it (potok job wait -n {}), or cancel it, "
                    "before it is archived",
                    row.added.name,
                    row.added.name));
  }
  row.archived = archived;
  return absl::OkStatus();
}

}  // namespace potok::server
