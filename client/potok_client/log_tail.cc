#include "client/potok_client/log_tail.h"

#include "client/potok_client/runs_client.h"
#include "common/base/status_macros.h"

namespace potok::client {
namespace {

// Where the last `lines` lines of `text` begin; npos if there may be more before it.
std::size_t BeginOfLast(const std::string& text, std::size_t lines) {
  std::size_t at = text.size();
  if (at > 0 && text[at - 1] == '\n') --at;  // the end of the last line
  for (std::size_t found = 0; found < lines; ++found) {
    if (at == 0) return std::string::npos;
    at = text.rfind('\n', at - 1);
    if (at == std::string::npos) return std::string::npos;
  }
  return at + 1;
}

}  // namespace

absl::StatusOr<LogTail> TailOfLog(RunsClient& runs,
                                  const v1::LogsRequest& request,
                                  std::size_t lines) {
  v1::LogsRequest part = request;
  part.set_follow(false);
  constexpr std::int64_t kUsualLineBytes = 200;
  constexpr std::int64_t kLinesWorthGuessing = 1'000'000;
  std::int64_t bytes =
      kUsualLineBytes * std::min(static_cast<std::int64_t>(lines) + 10, kLinesWorthGuessing);
  while (true) {
    part.set_offset(-bytes);
    LogTail tail;
    std::int64_t begin = -1;
    POTOK_RETURN_IF_ERROR(runs.Logs(
        part,
        [&](const v1::LogsResponse& response) {
          if (begin < 0) begin = response.offset();
          tail.text += response.data();
          tail.attempt = response.attempt();
        },
        std::stop_token()));
    tail.end = std::max<std::int64_t>(begin, 0) + static_cast<std::int64_t>(tail.text.size());
    const std::size_t cut = BeginOfLast(tail.text, lines);
    if (cut != std::string::npos) tail.text.erase(0, cut);
    if (cut != std::string::npos || begin <= 0) return tail;
    bytes *= 4;
  }
}

}  // namespace potok::client
