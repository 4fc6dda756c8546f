// Manual pages in roff, for man(1). Pure.
#pragma once

#include <string>
#include <vector>

#include "client/cli/help/command_tree.h"

namespace potok::client {

struct ManualPage {
  std::string file;  // "potok-job-create.1"
  std::string roff;  // in the macros of man(7)
};

// The page of `root` and one for each command that is not hidden. `date` as "2026-11-27".
std::vector<ManualPage> ManualPages(const CommandTree& root,
                                    const std::string& version,
                                    const std::string& date);

}  // namespace potok::client
