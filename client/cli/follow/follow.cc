#include "client/cli/follow/follow.h"

#include "client/cli/follow/view.h"
#include "client/cli/show/run_text.h"
#include "client/cli/show/table_style.h"
#include "client/cli/text/printable.h"
#include "client/potok_client/line_splitter.h"
#include "client/potok_client/log_tail.h"
#include "client/potok_client/run_follower.h"
#include "client/potok_client/run_state.h"
#include "common/base/overloaded.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

constexpr std::size_t kFailedLogLines = 20;
// Thousands of steps may fail for one reason.
constexpr int kFailedLogsMax = 5;

class Following {
 public:
  Following(const Context& context,
            RunsClient& runs,
            std::string name,
            const FollowRunOptions& options)
      : context_(context),
        runs_(runs),
        name_(std::move(name)),
        logs_(options.logs),
        heading_(options.heading),
        before_summary_(options.before_summary) {
    // A live block and a stream of log lines would fight for the screen.
    view_ = context.HasCursor() && !logs_ ? MakeLiveView(context)
                                          : MakePlainView(context.out, context.zone);
  }

  int Run() {
    RunFollower follower(&runs_, name_, FollowOptions{.logs = logs_});
    const std::stop_callback wake(context_.interrupted, [&] { follower.Wake(); });
    while (!ended_.has_value() && !context_.interrupted.stop_requested()) {
      for (const RunEvent& event : follower.Next(absl::Seconds(1))) {
        std::visit([this](const auto& what) { Happened(what); }, event);
      }
      view_->Tick(absl::Now());
    }
    view_->Close();
    return ended_.has_value() ? Conclude(*ended_) : Leave();
  }

 private:
  void Happened(const RunChanged& event) {
    *context_.out << heading_ << std::flush;
    heading_.clear();
    std::vector<const v1::StepStatus*> changed;
    std::vector<std::string> failed;
    const std::map<std::int32_t, std::pair<v1::Status, std::int32_t>> before =
        StatesOf(event.change);
    MergeChange(event.change, &run_);
    for (const v1::StepStatus& step : event.change.steps()) {
      const auto old = before.find(step.index());
      const std::pair<v1::Status, std::int32_t> now = {step.status(), step.attempt()};
      if (old != before.end() && old->second == now) continue;
      changed.push_back(&step);
      if (step.status() == v1::STATUS_FAILED) failed.push_back(step.name());
    }
    view_->Changed(run_, changed, absl::Now());
    for (const std::string& step : failed) SayEndOfLog(step);
  }
  void Happened(const LineCut& event) {
    view_->Say(fmt::format("The line to the server was cut ({}); the run goes on, trying again",
                           Printable(std::string(event.why.message()))));
  }
  void Happened(const LineRestored&) { view_->Say("The server is back"); }
  void Happened(const LogLines& event) {
    for (const std::string& line : event.lines) {
      const std::string text = context_.out_is_terminal ? PrintableLogLine(line) : line;
      view_->Say(run_.steps_total() == 1 ? text : Printable(event.step) + " | " + text);
    }
  }
  void Happened(const FollowEnded& event) { ended_ = event.status; }

  // How the steps of `change` were before it.
  std::map<std::int32_t, std::pair<v1::Status, std::int32_t>> StatesOf(const v1::Run& change) {
    std::set<std::int32_t> wanted;
    for (const v1::StepStatus& step : change.steps()) wanted.insert(step.index());
    std::map<std::int32_t, std::pair<v1::Status, std::int32_t>> states;
    for (const v1::StepStatus& step : run_.steps()) {
      if (wanted.contains(step.index())) states[step.index()] = {step.status(), step.attempt()};
    }
    return states;
  }

  void SayEndOfLog(const std::string& step) {
    if (logs_ || ++failed_logs_ > kFailedLogsMax) return;
    v1::LogsRequest request;
    request.set_name(name_);
    request.set_step(step);
    const absl::StatusOr<LogTail> tail = TailOfLog(runs_, request, kFailedLogLines);
    if (!tail.ok() || tail->text.empty()) return;
    view_->Say(fmt::format("--- end of the log of {} ---", Printable(step)));
    LineSplitter splitter;
    for (const std::string& line : splitter.Add(tail->text)) SayLogLine(line);
    if (const std::string rest = splitter.Rest(); !rest.empty()) SayLogLine(rest);
    view_->Say(fmt::format(
        "--- all of it: potok job logs -n {} --step {} ---", Printable(name_), ShellQuoted(step)));
  }

  void SayLogLine(const std::string& line) {
    view_->Say("  " + (context_.out_is_terminal ? PrintableLogLine(line) : line));
  }

  int Conclude(const absl::Status& status) {
    if (!status.ok()) return Complain(context_, status);
    *context_.out << before_summary_ << RunSummary(run_, absl::Now(), StyleOf(context_))
                  << std::flush;
    return run_.status() == v1::STATUS_COMPLETED ? kExitOk : kExitFailed;
  }

  int Leave() {
    *context_.err << fmt::format(
                         "\nNo longer following. The run {} goes on.\n"
                         "  follow it again:  potok job stream -n {}\n"
                         "  cancel it:        potok job cancel -n {}\n",
                         Printable(name_),
                         ShellQuoted(name_),
                         ShellQuoted(name_))
                  << std::flush;
    return kExitInterrupted;
  }

  const Context& context_;
  RunsClient& runs_;
  const std::string name_;
  const bool logs_;
  std::string heading_;
  const std::string before_summary_;
  std::unique_ptr<View> view_;
  v1::Run run_;
  std::optional<absl::Status> ended_;
  int failed_logs_ = 0;
};

}  // namespace

int FollowRun(const Context& context,
              RunsClient& runs,
              const std::string& name,
              const FollowRunOptions& options) {
  return Following(context, runs, name, options).Run();
}

}  // namespace potok::client
