#include "client/potok_client/log_tail.h"

#include "client/potok_client/runs_client.h"
#include "common/base/status_macros.h"

namespace potok::client {

absl::StatusOr<LogTail> TailOfLog(RunsClient& runs,
                                  const v1::LogsRequest& request,
                                  std::size_t lines) {
  v1::LogsRequest last = request;
  last.set_follow(false);
  last.set_offset(0);
  last.set_tail_lines(static_cast<std::int64_t>(lines));
  LogTail tail;
  POTOK_RETURN_IF_ERROR(runs.Logs(
      last,
      [&](const v1::LogsResponse& response) {
        tail.text += response.data();
        tail.end = response.offset() + static_cast<std::int64_t>(response.data().size());
        tail.attempt = response.attempt();
      },
      std::stop_token()));
  return tail;
}

}  // namespace potok::client
