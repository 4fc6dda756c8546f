// The one interface of runtimes: given a launch, the command line that really runs it, or why there
// is none. Values; no thread rule.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace potok::agent {

// What is to run, and what it may touch. All paths are absolute and exist, and are the same inside.
struct RuntimeLaunch {
  std::vector<std::string> argv;
  std::string working_directory;
  std::map<std::string, std::string> environment;
  std::vector<std::string> read_only;  // files and folders
  std::vector<std::string> writable;   // folders; may lie in those
  std::vector<std::int32_t> gpus;      // indices as NVML's
};

struct RuntimeCommand {
  std::vector<std::string> argv;
  std::map<std::string, std::string> environment;  // of argv[0]
};

}  // namespace potok::agent
