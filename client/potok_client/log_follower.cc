#include "client/potok_client/log_follower.h"

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>

#include "client/potok_client/runs_client.h"

namespace potok::client {
namespace {

constexpr absl::Duration kFirstWait = absl::Milliseconds(100);
constexpr absl::Duration kLongestWait = absl::Seconds(2);

// What a server that goes away, comes back or is too busy causes; the rest does not mend itself.
bool IsPassing(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsResourceExhausted(status) ||
         absl::IsAborted(status) || absl::IsCancelled(status) || absl::IsUnknown(status) ||
         absl::IsInternal(status);
}

void SleepUntilStopped(absl::Duration duration, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock<std::mutex> lock(mutex);
  changed.wait_for(lock, stop, absl::ToChronoMilliseconds(duration), [] { return false; });
}

// How far each log was read.
class Positions {
 public:
  void Read(const v1::LogsResponse& response) {
    v1::LogPosition& position = positions_[response.step()];
    position.set_step(response.step());
    position.set_attempt(std::max(position.attempt(), response.attempt()));
    // Of an earlier attempt nothing more comes once its last bytes are read after the next began.
    if (response.attempt() < position.attempt()) return;
    const auto size = static_cast<std::int64_t>(response.data().size());
    position.set_offset(std::max(response.offset() + size, response.read_to()));
  }
  void Set(v1::LogsRequest* request) const {
    request->clear_resume_at();
    for (const auto& [step, position] : positions_) *request->add_resume_at() = position;
  }

 private:
  std::map<std::string, v1::LogPosition> positions_;
};

}  // namespace

absl::Status FollowLogs(RunsClient& runs,
                        const v1::LogsRequest& request,
                        const std::function<void(const v1::LogsResponse&)>& arrived,
                        const LogFollowOptions& options,
                        const std::stop_token& stop) {
  v1::LogsRequest rest = request;
  Positions positions;
  bool is_cut = false;
  absl::Time cut_since;
  absl::Duration wait = kFirstWait;
  while (true) {
    const absl::Status status = runs.Logs(
        rest,
        [&](const v1::LogsResponse& response) {
          if (is_cut) options.line_changed(absl::OkStatus());
          is_cut = false;
          wait = kFirstWait;
          positions.Read(response);
          arrived(response);
        },
        stop);
    if (stop.stop_requested() || status.ok() || !IsPassing(status)) return status;
    if (!is_cut) {
      is_cut = true;
      cut_since = absl::Now();
      options.line_changed(status);
    }
    if (absl::Now() - cut_since > options.patience) return status;
    SleepUntilStopped(wait, stop);
    wait = std::min(wait * 2, kLongestWait);
    // A count that was cut begins anew: what it had found was not told.
    if (!request.search().count_only()) positions.Set(&rest);
  }
}

}  // namespace potok::client
