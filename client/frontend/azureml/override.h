// `--set a.b.c=value`: changes of the file's tree before it is read. One thread.
#pragma once

#include <string>
#include <vector>

#include "client/frontend/azureml/yaml_tree.h"

namespace potok::client {

// The tree with `assignments` made, in order; missing levels are created. A value is JSON if it
// starts with {, [ or ", else a plain scalar. Problems are reported at "--set a.b.c=value": a
// missing '=', an empty name, and going below a text or a list. `root` stays as it was.
const YamlNode* Override(const YamlNode* root,
                         const std::vector<std::string>& assignments,
                         YamlArena* arena,
                         Reporter* reporter);

}  // namespace potok::client
