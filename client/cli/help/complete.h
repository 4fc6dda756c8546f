// What may stand at the end of a command line that is being written. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "client/cli/help/command_tree.h"

namespace potok::client {

struct Completion {
  // Words that fit what is there already, each with what it means, or "".
  std::vector<std::pair<std::string, std::string>> words;
  // Names that only others know.
  enum class Names { kNone, kFiles, kFolders, kRuns, kMachines, kTeams, kSteps, kProfiles };
  Names names = Names::kNone;
  std::string run;     // kSteps: whose
  std::string before;  // what comes before a name in its word, as "--name="
  std::string prefix;  // how the names must begin, after `before`
};

// The last of `words`, which are without the program's name, is the one being written; it may be
// empty, and an "=" may be a word of its own, as bash has it.
Completion CompleteWords(const CommandTree& root, const std::vector<std::string>& words);

}  // namespace potok::client
