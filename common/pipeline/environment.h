// What Step::environment_definition says, as far as something is run by it. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace potok {

// The Python packages of an environment's conda_file.
struct PythonPackages {
  std::string python;                 // its version as written, "3.10" of "python=3.10"; or empty
  std::vector<std::string> packages;  // for pip, as written there
  std::vector<std::string> conda;     // of conda itself, but for python and pip
  std::vector<std::string> channels;
};

struct EnvironmentDefinition {
  std::string image;  // a reference of containers, as written; empty: none is named
  std::optional<PythonPackages> python;
};

// Of a text that is no definition, or empty: nothing is named.
EnvironmentDefinition ParseEnvironmentDefinition(const std::string& text);

}  // namespace potok
