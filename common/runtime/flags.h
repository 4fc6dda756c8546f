// Command-line flags as people write them.
#pragma once

#include <string>
#include <vector>

namespace potok {

// absl's flags have underscores in their names; users write dashes (--http-listen). Replaces the
// dashes within the names of long flags; values, and what follows a bare "--", stay. `storage` owns
// the changed arguments and outlives the result, which is argv for absl::ParseCommandLine.
std::vector<char*> WithUnderscores(int argc, char** argv, std::vector<std::string>& storage);

}  // namespace potok
