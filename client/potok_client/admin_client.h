// What the people who run a server need of it. Thread-safe; every call blocks.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "absl/status/statusor.h"
#include "potok/v1/admin.pb.h"

namespace grpc {
class Channel;
}

namespace potok::client {

// A link that opens the server's web pages in one browser, once, within five minutes. UNAVAILABLE
// while the server has no HTTP port.
absl::StatusOr<std::string> CreateWebLink(const std::shared_ptr<grpc::Channel>& channel);

// Frees what nothing names; the last message, which is also told to `said` as all before it are.
// CANCELLED after a stop: what was freed stays freed. Else as the RPC.
absl::StatusOr<v1::CollectGarbageProgress> CollectGarbage(
    const std::shared_ptr<grpc::Channel>& channel,
    const v1::CollectGarbageRequest& request,
    const std::function<void(const v1::CollectGarbageProgress&)>& said,
    const std::stop_token& stop);

}  // namespace potok::client
