// Where a server's artifacts are. Thread-safe; blocks.
#pragma once

#include <memory>

#include "absl/status/statusor.h"

namespace grpc {
class Channel;
}

namespace potok::client {

// A channel to the store that the server behind `server` names: mostly `server` itself. Waits for a
// server that is away up to half a minute; UNAVAILABLE.
absl::StatusOr<std::shared_ptr<grpc::Channel>> ArtifactChannel(
    const std::shared_ptr<grpc::Channel>& server);

}  // namespace potok::client
