// Options that several commands share, and what they lead to.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/context.h"
#include "client/cli/text/value.h"
#include "client/potok_client/connection.h"

namespace potok::client {

struct CommonOptions {
  std::string server;
  // json, jsonc, table, tsv, yaml, yamlc, none; empty: the command's own choice
  std::string output;
  std::string query;
};

// A connection to the server that the options name, once it answers.
absl::StatusOr<Connection> Connect(const Context& context, const CommonOptions& options);

// What to print when nothing was asked for by -o.
enum class DefaultOutput {
  kForPeople,  // `people` always
  kJsonUnlessTerminal,
};

// Prints an object as -o and --query say, byte for byte as `az` does but for YAML, whose meaning is
// the same; null prints nothing. `people` makes the text for people (-o table without --query too).
int PrintObject(const Context& context,
                const CommonOptions& options,
                DefaultOutput by_default,
                const Value& value,
                const std::function<std::string()>& people);

}  // namespace potok::client
