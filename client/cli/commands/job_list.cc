#include "client/cli/commands/command.h"
#include "client/cli/show/job_object.h"
#include "client/cli/text/printable.h"
#include "client/cli/text/table.h"
#include "client/potok_client/run_state.h"
#include "client/potok_client/runs_client.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

struct ListOptions {
  CommonOptions common;
  int results_max = 50;
  bool all_results = false;
  std::vector<std::string> statuses;
  std::string experiment;
};

std::string RunTable(const std::vector<v1::Run>& runs, absl::TimeZone zone) {
  if (runs.empty()) return "No runs\n";
  std::vector<std::vector<std::string>> rows;
  for (const v1::Run& run : runs) {
    std::string duration;
    if (run.started_us() != 0) {
      const absl::Time end =
          run.ended_us() == 0 ? absl::Now() : absl::FromUnixMicros(run.ended_us());
      duration = ShortDuration(end - absl::FromUnixMicros(run.started_us()));
    }
    rows.push_back({run.name(),
                    NameOf(run.status()),
                    fmt::format("{}/{}", run.steps_completed(), run.steps_total()),
                    LocalTime(run.created_us(), zone),
                    duration,
                    Shortened(run.experiment_name(), 24),
                    Shortened(run.display_name(), 40)});
  }
  return Table({"NAME", "STATE", "STEPS", "CREATED", "TIME", "EXPERIMENT", "DISPLAY NAME"}, rows);
}

int RunList(Session& session, const ListOptions& options) {
  const Context& context = session.context;
  v1::ListRunsRequest filter;
  filter.set_experiment_name(options.experiment);
  for (const std::string& name : options.statuses) {
    const v1::Status status = ParseStatus(name);
    if (status == v1::STATUS_UNSPECIFIED) {
      return Complain(context,
                      absl::InvalidArgumentError(fmt::format(
                          "--status {}: no such state; there are NotStarted, Queued, Preparing, "
                          "Running, Finalizing, CancelRequested, Completed, Failed, Canceled, "
                          "NotResponding, Paused",
                          name)));
    }
    filter.add_status(status);
  }
  const absl::StatusOr<Connection> connection = Connect(context, options.common);
  if (!connection.ok()) return Complain(context, connection.status());
  const absl::StatusOr<std::vector<v1::Run>> runs =
      RunsClient(connection->channel())
          .List(filter,
                options.all_results ? static_cast<std::size_t>(-1)
                                    : static_cast<std::size_t>(options.results_max));
  if (!runs.ok()) return Complain(context, runs.status());
  Array items;
  for (const v1::Run& run : *runs) items.push_back(JobListItem(run));
  return PrintObject(
      context, options.common, DefaultOutput::kForPeople, Value(std::move(items)), [&] {
        return RunTable(*runs, context.zone);
      });
}

}  // namespace

void AddJobList(CLI::App& job, Session& session) {
  const auto options = std::make_shared<ListOptions>();
  CommandOptions list = AddCommand(job,
                                   session,
                                   "list",
                                   "Runs, newest first",
                                   "potok job list --status Failed --max-results 10",
                                   options,
                                   RunList);
  list.Number("-r,--max-results", "N", "How many at most (default 50)", 1, &options->results_max);
  list.Flag("--all-results", "All of them", &options->all_results);
  list.Texts("--status", "STATE", "Only runs in this state", &options->statuses);
  list.Text("--experiment", "NAME", "Only runs of this experiment", &options->experiment);
  AddServerOptions(list, &options->common);
  AddOutputOptions(list, &options->common);
}

}  // namespace potok::client
