// The end of a step's log.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "potok/v1/runs.pb.h"

namespace potok::client {

class RunsClient;

struct LogTail {
  std::string text;          // whole lines, the last of them perhaps not ended
  std::int64_t end = 0;      // the offset behind it, to go on from
  std::int32_t attempt = 0;  // whose log it is
};

// The last `lines` lines of the log that `request` names; its offset and follow do not count. Reads
// no more of the log than that needs.
absl::StatusOr<LogTail> TailOfLog(RunsClient& runs,
                                  const v1::LogsRequest& request,
                                  std::size_t lines);

}  // namespace potok::client
