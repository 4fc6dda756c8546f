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
  std::string profile;
  // json, jsonc, table, tsv, yaml, yamlc, none; empty: the command's own choice
  std::string output;
  std::string query;
};

// The server that is meant, in this order: --server, --profile, POTOK_SERVER, POTOK_PROFILE, the
// profile in use, the server of the configuration file, this user's own stack.
absl::StatusOr<ServerAddress> ServerOf(const Context& context, const CommonOptions& options);

// A connection to it, once it answers; UNAVAILABLE after `patience`, which by default is enough for
// a server that is just being started again.
absl::StatusOr<Connection> Connect(const Context& context,
                                   const CommonOptions& options,
                                   absl::Duration patience = absl::Seconds(5));

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
