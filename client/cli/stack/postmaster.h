// The PostgreSQL that the server of an embedded stack runs.
#pragma once

#include <optional>

#include "client/cli/stack/home.h"
#include "client/cli/stack/process_identity.h"

namespace potok::client {

// Nothing if it does not run.
std::optional<ProcessIdentity> PostmasterOf(const Home& home);

}  // namespace potok::client
