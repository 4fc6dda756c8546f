// The commands and their options as plain values, read off the parser: what completion and the
// manual pages are made of, so that neither has a list of its own.
#pragma once

#include <string>
#include <vector>

namespace potok::client {

struct OptionWords {
  std::vector<std::string> names;  // "-n", "--name"; of a positional argument its name alone
  std::string type;                // as the help shows it: "FILE", "table|json"; empty for a flag
  std::string help;
  std::string group;  // the heading under which it stands
  bool required = false;
  bool positional = false;
  bool many = false;  // takes all words up to the next option
};

struct CommandTree {
  std::string name;
  std::string what;
  std::string footer;  // the examples
  bool hidden = false;
  std::vector<OptionWords> options;
  std::vector<CommandTree> commands;
};

}  // namespace potok::client
