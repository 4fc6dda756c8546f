// What the people who run a server need of it. Thread-safe; every call blocks.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace grpc {
class Channel;
}

namespace potok::client {

// A link that opens the server's web pages in one browser, once, within five minutes. UNAVAILABLE
// while the server has no HTTP port.
absl::StatusOr<std::string> CreateWebLink(const std::shared_ptr<grpc::Channel>& channel);

}  // namespace potok::client
