// "Did you mean": names that are nearly the wished one. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace potok {

// Insertions, deletions, replacements and swaps of neighbours that make `a` of `b`, no letter
// edited twice (the "optimal string alignment" form of the Damerau-Levenshtein distance).
std::size_t EditDistance(const std::string& a, const std::string& b);

// Of `names` the nearest one that is near (a third of the letters of `name`, at least one), if any.
std::optional<std::string> NearestName(const std::string& name,
                                       const std::vector<std::string>& names);

// What to append to "there is no 'dat'": "; did you mean 'data'?" if a name is near, or
// "; there are x, y" if there are at most eight, or "; there are none".
std::string SuggestionFor(const std::string& name, const std::vector<std::string>& names);

}  // namespace potok
