// The parser's commands as values.
#pragma once

#include "client/cli/help/command_tree.h"

namespace CLI {
class App;
}

namespace potok::client {

CommandTree TreeOf(const CLI::App& app);

}  // namespace potok::client
