// Reads logs to their end, over cuts of the line and restarts of the server.
#pragma once

#include <functional>
#include <stop_token>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "potok/v1/runs.pb.h"

namespace potok::client {

class RunsClient;

struct LogFollowOptions {
  // Told when the line is cut, and with OK when it is there again.
  std::function<void(const absl::Status&)> line_changed;
  // Gives up when the server has not been there for so long.
  absl::Duration patience = absl::Minutes(30);
};

// Calls `arrived` with each answer, on this thread. What a cut interrupted goes on where it was:
// no byte comes twice or is left out. CANCELLED once `stop` is requested.
absl::Status FollowLogs(RunsClient& runs,
                        const v1::LogsRequest& request,
                        const std::function<void(const v1::LogsResponse&)>& arrived,
                        const LogFollowOptions& options,
                        const std::stop_token& stop);

}  // namespace potok::client
