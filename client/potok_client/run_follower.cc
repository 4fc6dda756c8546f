#include "client/potok_client/run_follower.h"

#include <thread>

#include "client/potok_client/line_splitter.h"
#include "client/potok_client/run_state.h"
#include "client/potok_client/runs_client.h"
#include "common/base/overloaded.h"
#include "common/base/status_macros.h"
#include "common/runtime/mailbox.h"

namespace potok::client {
namespace {

constexpr absl::Duration kRetryFirst = absl::Milliseconds(100);
constexpr absl::Duration kRetryLongest = absl::Seconds(2);
// A screen shows no more, and each costs a thread and a stream.
constexpr std::size_t kFollowedLogsMax = 32;

// What a server that goes away, comes back or is too busy causes; the rest does not mend itself.
bool IsCut(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsResourceExhausted(status) ||
         absl::IsAborted(status) || absl::IsCancelled(status) || absl::IsUnknown(status) ||
         absl::IsInternal(status);
}

// A wait that a stop ends.
void WaitFor(absl::Duration duration, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock<std::mutex> lock(mutex);
  changed.wait_for(lock, stop, absl::ToChronoMilliseconds(duration), [] { return false; });
}

// Says nothing; only ends a wait.
struct Wake {};
using Item = std::variant<RunEvent, Wake>;

}  // namespace

class RunFollower::Streams {
 public:
  Streams(RunsClient* runs, std::string name, const FollowOptions& options)
      : runs_(runs), name_(std::move(name)), options_(options), events_(kEventsMax) {
    watch_ = std::jthread([this](const std::stop_token& stop) { Watch(stop); });
  }

  ~Streams() {
    watch_.request_stop();
    if (watch_.joinable()) watch_.join();
    for (auto& [step, thread] : logs_) thread.request_stop();
    logs_.clear();  // joins
  }

  Mailbox<Item>& events() { return events_; }

 private:
  // Watch posts one event a message and log threads one for each answer: what is taken is not
  // refused, so this only names the size beyond which Post would refuse.
  static constexpr std::size_t kEventsMax = 1 << 20;

  void Post(RunEvent event) { events_.PostAlways(Item(std::move(event))); }

  void Watch(const std::stop_token& stop) {
    v1::WatchRunRequest request;
    request.set_name(name_);
    request.set_without_steps(!options_.steps);
    bool cut = false;
    absl::Time cut_since;
    absl::Duration wait = kRetryFirst;
    while (true) {
      const absl::Status status = runs_->Watch(
          request,
          [&](const v1::WatchRunResponse& response) {
            if (cut) Post(LineRestored{});
            cut = false;
            wait = kRetryFirst;
            request.set_after_revision(std::max(request.after_revision(), response.revision()));
            Changed(response.run());
          },
          stop);
      if (stop.stop_requested()) return;
      if (HasEnded(status_)) return Finish(absl::OkStatus());
      if (!status.ok() && !IsCut(status)) return Finish(status);
      if (!cut) {
        cut_since = absl::Now();
        cut = true;
        Post(LineCut{status});
      }
      if (absl::Now() - cut_since > options_.patience) return Finish(status);
      WaitFor(wait, stop);
      wait = std::min(wait * 2, kRetryLongest);
    }
  }

  // The log threads end by themselves once their steps have ended; their last lines come first.
  void Finish(const absl::Status& status) {
    if (status.ok()) {
      for (auto& [step, thread] : logs_) thread.join();
    }
    Post(FollowEnded{status});
    events_.Close();
  }

  void Changed(const v1::Run& change) {
    status_ = change.status();
    Post(RunChanged{change});
    if (!options_.logs) return;
    for (const v1::StepStatus& step : change.steps()) {
      const bool has_log =
          step.started_us() != 0 && step.reused_from().empty();  // what others wrote is no news
      if (has_log && logs_.size() < kFollowedLogsMax && !logs_.contains(step.name())) {
        logs_[step.name()] = std::jthread(
            [this, step_name = step.name()](const std::stop_token& stop) { Log(step_name, stop); });
      }
    }
  }

  void Log(const std::string& step, const std::stop_token& stop) {
    v1::LogsRequest request;
    request.set_name(name_);
    request.set_step(step);
    request.set_follow(true);
    LineSplitter splitter;
    absl::Duration wait = kRetryFirst;
    while (!stop.stop_requested()) {
      const absl::Status status = runs_->Logs(
          request,
          [&](const v1::LogsResponse& response) {
            wait = kRetryFirst;
            const auto size = static_cast<std::int64_t>(response.data().size());
            request.set_offset(response.offset() + size);
            request.set_attempt(response.attempt());
            PostLines(step, splitter.Add(response.data()));
          },
          stop);
      if (status.ok() || !IsCut(status)) break;
      WaitFor(wait, stop);
      wait = std::min(wait * 2, kRetryLongest);
    }
    if (const std::string rest = splitter.Rest(); !rest.empty()) PostLines(step, {rest});
  }

  void PostLines(const std::string& step, std::vector<std::string> lines) {
    if (!lines.empty()) Post(LogLines{step, std::move(lines)});
  }

  RunsClient* runs_;
  const std::string name_;
  const FollowOptions options_;
  Mailbox<Item> events_;
  v1::Status status_ = v1::STATUS_UNSPECIFIED;  // of the watch thread
  std::map<std::string, std::jthread> logs_;    // of the watch thread, then of the destructor
  std::jthread watch_;
};

RunFollower::RunFollower(RunsClient* runs, std::string name, const FollowOptions& options)
    : streams_(std::make_unique<Streams>(runs, std::move(name), options)) {}
RunFollower::~RunFollower() = default;

std::vector<RunEvent> RunFollower::Next(absl::Duration timeout) {
  std::vector<RunEvent> events;
  for (Item& item : streams_->events().TakeAll(timeout)) {
    if (RunEvent* event = std::get_if<RunEvent>(&item)) events.push_back(std::move(*event));
  }
  return events;
}

void RunFollower::Wake() {
  streams_->events().PostAlways(Item(client::Wake{}));
}

}  // namespace potok::client
