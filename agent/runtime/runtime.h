// The one interface of runtimes: given a launch, the command line that really runs it, or why there
// is none. Values; no thread rule.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/base/resources.h"

namespace potok::agent {

// What is to run, and what it may touch. All paths are absolute and exist, and are the same inside.
struct RuntimeLaunch {
  std::string name;  // unique on this machine; of letters, digits, '.' and '-'
  std::vector<std::string> argv;
  std::string working_directory;
  std::map<std::string, std::string> environment;
  std::string folder;                  // the attempt's: what else is in it is hidden
  std::vector<std::string> read_only;  // files and folders
  std::vector<std::string> writable;   // folders; may lie in those
  Resources limits;                    // 0: none
  std::vector<std::int32_t> gpus;
  bool has_network = true;
};

struct RuntimeCommand {
  std::vector<std::string> argv;
  std::map<std::string, std::string> environment;  // of argv[0]
  std::string variables = {};  // to be written to AttemptPaths::variables() before; empty: none
};

// What is to run beside a command that runs already.
struct SideWish {
  std::string name;               // of the attempt, as of RuntimeLaunch
  std::vector<std::string> argv;  // not empty; argv[0] is looked for in the PATH
  std::string terminal_type;
  bool has_terminal = false;
};

}  // namespace potok::agent
