// Which steps of a run a name or a pattern means.
#include <algorithm>

#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "server/rpc/run_view.h"

namespace potok::server {

namespace {

std::string SomeNames(const Plan& plan) {
  constexpr std::uint32_t kNamesMax = 20;
  std::string names;
  for (std::uint32_t i = 0; i < std::min(plan.size(), kNamesMax); ++i) {
    names += (i == 0 ? "" : ", ") + plan.NameOf(i);
  }
  return plan.size() > kNamesMax ? names + ", ..." : names;
}

// * is any characters, ? is one; brackets are of the names of loops' items, not of sets.
bool MatchesPattern(const std::string& name, const std::string& pattern) {
  std::size_t in_name = 0;
  std::size_t in_pattern = 0;
  std::size_t star = std::string::npos;
  std::size_t retry = 0;
  while (in_name < name.size()) {
    const char c = in_pattern < pattern.size() ? pattern[in_pattern] : '\0';
    if (c == '*') {
      star = in_pattern++;
      retry = in_name;
    } else if (in_pattern < pattern.size() && (c == '?' || c == name[in_name])) {
      ++in_pattern;
      ++in_name;
    } else if (star != std::string::npos) {
      in_pattern = star + 1;
      in_name = ++retry;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', in_pattern) == std::string::npos;
}

}  // namespace

absl::StatusOr<std::vector<std::pair<std::uint32_t, std::string>>> RunView::FindSteps(
    const RunRow& run, const std::string& step, const std::vector<std::string>& patterns) {
  POTOK_ASSIGN_OR_RETURN(const auto spec, SpecOf(run));
  POTOK_ASSIGN_OR_RETURN(const std::shared_ptr<const Plan> plan, PlanOf(run, *spec));
  std::vector<std::string> wanted = patterns;
  if (wanted.empty()) wanted.push_back(step.empty() && plan->size() == 1 ? "*" : step);
  std::vector<bool> found(wanted.size());
  std::vector<std::pair<std::uint32_t, std::string>> chosen;
  for (std::uint32_t i = 0; i < plan->size(); ++i) {
    const std::string name = plan->NameOf(i);
    bool matches = false;
    for (std::size_t of = 0; of < wanted.size(); ++of) {
      const bool is_it = name == wanted[of] || MatchesPattern(name, wanted[of]);
      if (is_it) found[of] = true;
      matches = matches || is_it;
    }
    if (matches) chosen.emplace_back(i, name);
  }
  const auto missing = std::ranges::find(found, false);
  if (missing == found.end()) return chosen;
  const std::string names = SomeNames(*plan);
  const std::string& name = wanted[static_cast<std::size_t>(missing - found.begin())];
  if (name.empty()) {
    return absl::InvalidArgumentError(
        fmt::format("run {} has {} steps; say which one: {}", run.added.name, plan->size(), names));
  }
  return absl::NotFoundError(
      fmt::format("run {} has no step '{}'; it has {}", run.added.name, name, names));
}

}  // namespace potok::server
