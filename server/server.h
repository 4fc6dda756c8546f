// Everything of one server, wired by hand.
#pragma once

#include "absl/status/status.h"
#include "server/config.h"

namespace potok::server {

// Runs until SIGTERM or SIGINT (blocked in the caller: common/runtime/signals.h), then stops in
// order: no new calls, the scheduler's last turn, PostgreSQL if it is embedded. OK after a clean
// stop; FAILED_PRECONDITION when another server took over; anything else: it could not start, and
// the message says what and why.
absl::Status RunServer(const ServerConfig& config);

}  // namespace potok::server
