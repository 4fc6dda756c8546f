// Environments, in all their forms, as the text that is recorded with a step. One thread.
#pragma once

#include <string>

#include "client/frontend/azureml/reading.h"

namespace potok::client {

// The environment written as `value`: a reference stays as it is; an inline map, and the file of
// "file:./env.yml", become compact JSON {"image":..,"conda_file":..,"build":..} that holds the text
// of the files they name and not their paths, so that equal environments are equal texts. Reports
// what is wrong.
std::string ReadEnvironment(const YamlNode& value,
                            const Origin& origin,
                            const std::string& what,
                            Reading* reading);

}  // namespace potok::client
