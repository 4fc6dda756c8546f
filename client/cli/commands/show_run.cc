#include "client/cli/commands/show_run.h"

#include <algorithm>

#include "client/cli/profiles.h"
#include "client/cli/show/notifications_text.h"
#include "client/cli/show/run_text.h"
#include "client/cli/show/table_style.h"
#include "client/cli/text/printable.h"
#include "client/potok_client/notifications_client.h"
#include "client/potok_client/run_state.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

absl::StatusOr<Value> ChildJob(const v1::Run& run,
                               const std::string& step,
                               const std::string& runs_at) {
  const std::string name = ChildJobName(run.name(), step);
  for (const Value& job : ChildJobs(run, runs_at)) {
    if (*(*job.AsObject())[0].second.AsText() == name) return job;
  }
  return absl::NotFoundError(
      fmt::format("the run {} has no step {}; `potok job list -p {}` shows them",
                  run.name(),
                  step,
                  run.name()));
}

bool HasStep(const v1::Run& run, const std::string& name) {
  return std::ranges::any_of(run.steps(),
                             [&name](const v1::StepStatus& step) { return step.name() == name; });
}

// A run, and of it a step if the name is a step's.
struct Named {
  v1::Run run;
  std::string step;
};

// RUN, RUN/STEP, or RUN_STEP: what no run is called may be one and the name of a step.
absl::StatusOr<Named> Find(RunsClient& runs, const std::string& name) {
  // A run's name has no '/', but a step's may: "train/fit".
  const std::size_t slash = name.find('/');
  if (slash == 0) {
    return absl::InvalidArgumentError(fmt::format(
        "'{}' names no run: before its first '/' there is no name; write RUN, or RUN/STEP for a "
        "step of it. `potok job list` shows the runs",
        Printable(name)));
  }
  const absl::StatusOr<v1::Run> run = runs.Get(name.substr(0, slash), /*without_spec=*/false);
  if (run.ok()) return Named{*run, slash == std::string::npos ? "" : name.substr(slash + 1)};
  if (!absl::IsNotFound(run.status())) return run.status();
  const std::size_t end = slash == std::string::npos ? name.size() : slash;
  for (std::size_t at = name.rfind('_', end); at != std::string::npos && at > 0;
       at = name.rfind('_', at - 1)) {
    absl::StatusOr<v1::Run> parent = runs.Get(name.substr(0, at), /*without_spec=*/false);
    if (!parent.ok() && !absl::IsNotFound(parent.status())) return parent.status();
    const std::string step = name.substr(at + 1);
    if (parent.ok() && HasStep(*parent, step)) return Named{*std::move(parent), step};
  }
  return run.status();
}

}  // namespace

std::string RunsAt(const Context& context,
                   const CommonOptions& options,
                   const Connection& connection) {
  const std::string& address = connection.address().address;
  std::string web = context.Variable("POTOK_WEB");
  const absl::StatusOr<std::optional<Profile>> profile = ChosenProfile(context, options.profile);
  // --server and POTOK_SERVER may have led elsewhere.
  const bool is_its_server = profile.ok() && profile->has_value() && (*profile)->server == address;
  if (web.empty() && is_its_server) web = (*profile)->web;
  return RunsAt(address, web);
}

int ShowRun(const Context& context,
            const CommonOptions& options,
            const Connection& connection,
            const std::string& name) {
  RunsClient runs(connection.channel());
  const std::string runs_at = RunsAt(context, options, connection);
  const absl::StatusOr<Named> named = Find(runs, name);
  if (!named.ok()) return Complain(context, named.status());
  const v1::Run* const run = &named->run;
  if (!named->step.empty()) {
    const absl::StatusOr<Value> child = ChildJob(*run, named->step, runs_at);
    if (!child.ok()) return Complain(context, child.status());
    return PrintObject(context, options, DefaultOutput::kJsonUnlessTerminal, *child, [&] {
      return ToYaml(*child);
    });
  }
  std::vector<v1::Notification> told;
  if (HasEnded(run->status())) {
    absl::StatusOr<std::vector<v1::Notification>> listed =
        ListNotifications(connection.channel(), run->name());
    if (!listed.ok()) return Complain(context, listed.status());
    told = *std::move(listed);
  }
  Object job = *JobObject(*run, runs_at).AsObject();
  if (!told.empty()) job.emplace_back("notifications", NotificationsValue(told));
  return PrintObject(
      context, options, DefaultOutput::kJsonUnlessTerminal, Value(std::move(job)), [&] {
        return RunSummary(*run, absl::Now(), StyleOf(context)) + RuntimeLines(*run) +
               UsageLines(*run) + NotificationLines(told);
      });
}

}  // namespace potok::client
