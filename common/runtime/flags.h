// Command-line flags as people write them.
#pragma once

#include <set>
#include <string>
#include <vector>

namespace potok {

// argv for absl::ParseCommandLine, which ends with a null pointer.
//
// absl's flags have underscores in their names; users write dashes (--http-listen): the dashes
// within the names of long flags are replaced; values, and what follows a bare "--", stay. Of a
// flag that takes a list only the last would count: those named in `lists` are joined by commas
// however often they are given. `storage` owns the arguments and outlives the result.
std::vector<char*> FlagArguments(const std::vector<std::string>& arguments,
                                 const std::set<std::string>& lists,
                                 std::vector<std::string>& storage);

}  // namespace potok
