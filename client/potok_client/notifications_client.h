// Who was told that a run has ended. Blocks.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "potok/v1/notifications.pb.h"

namespace grpc {
class Channel;
}

namespace potok::client {

// Of a run that has ended; none of an older server, which tells nobody. Errors as the RPC.
absl::StatusOr<std::vector<v1::Notification>> ListNotifications(
    const std::shared_ptr<grpc::Channel>& channel, const std::string& run);

}  // namespace potok::client
