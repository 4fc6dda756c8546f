// Environments, in all their forms, as the texts that are recorded with a step. One thread.
#pragma once

#include <string>

#include "client/frontend/azureml/reading.h"

namespace potok::client {

struct EnvironmentText {
  // "NAME:VERSION" of a registered one; a reference that nobody here knows (curated ones of Azure)
  // as it was written; empty for one that is written out.
  std::string name;
  // What it is, as compact JSON {"build":..,"conda_file":..,"image":..} that holds what is in the
  // files and not their paths: equal environments are equal texts. Empty if only the name is known.
  std::string definition;
};

// The environment written as `value`: a reference, an inline map, or the file of
// "file:./env.yml". Reports what is wrong.
EnvironmentText ReadEnvironment(const YamlNode& value,
                                const Origin& origin,
                                const std::string& what,
                                Reading* reading);

// The definition of the environment in `map`, which stands in a file of `origin`; "" after a report
// of what is wrong with it. `what` is how messages call it.
std::string ReadEnvironmentMap(const YamlNode& map,
                               const Origin& origin,
                               const std::string& what,
                               Reading* reading);

// The packages of a `conda_file:`, the path of a file or a map, as a tree. Null after a report.
const YamlNode* ReadConda(const YamlNode& value, const Origin& origin, Reading* reading);

}  // namespace potok::client
