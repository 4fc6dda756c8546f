#include "common/pipeline/suggest.h"

#include <algorithm>

#include "fmt/format.h"

namespace potok {

namespace {

constexpr std::size_t kListedMax = 8;
// Longer names are not compared: the distance costs the product of the lengths.
constexpr std::size_t kComparedBytesMax = 64;

}  // namespace

std::size_t EditDistance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before_last.swap(last);
    last.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row[b.size()];
}

std::optional<std::string> NearestName(const std::string& name,
                                       const std::vector<std::string>& names) {
  const std::size_t limit = std::max<std::size_t>(1, name.size() / 3);
  const std::string* nearest = nullptr;
  std::size_t nearest_distance = limit + 1;
  for (const std::string& candidate : names) {
    const std::size_t shorter = std::min(candidate.size(), name.size());
    const std::size_t longer = std::max(candidate.size(), name.size());
    if (longer - shorter >= nearest_distance || longer > kComparedBytesMax) continue;
    const std::size_t distance = EditDistance(name, candidate);
    if (distance >= nearest_distance) continue;
    nearest = &candidate;
    nearest_distance = distance;
  }
  if (nearest == nullptr) return std::nullopt;
  return *nearest;
}

std::string SuggestionFor(const std::string& name, const std::vector<std::string>& names) {
  if (names.empty()) return "; there are none";
  if (const auto nearest = NearestName(name, names)) {
    return fmt::format("; did you mean '{}'?", *nearest);
  }
  if (names.size() > kListedMax) return "";
  return fmt::format(
      "; there {} {}", names.size() == 1 ? "is only" : "are", fmt::join(names, ", "));
}

}  // namespace potok
