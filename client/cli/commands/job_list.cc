#include "client/cli/commands/command.h"
#include "client/cli/commands/show_run.h"
#include "client/cli/show/run_text.h"
#include "client/cli/show/table_style.h"
#include "client/cli/text/printable.h"
#include "client/cli/text/table.h"
#include "client/potok_client/run_state.h"
#include "client/potok_client/runs_client.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

struct ListOptions {
  CommonOptions common;
  int results_max = 50;
  bool all_results = false;
  std::string parent;
  bool include_archived = false;
  bool archived_only = false;
  std::vector<std::string> statuses;
  std::string experiment;
  std::string submitter;
  std::string since;
  std::string until;
  std::string text;
  std::string name_prefix;
  std::vector<std::string> tags;
};

std::string RunTable(const std::vector<v1::Run>& runs, const Context& context) {
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
                    LocalTime(run.created_us(), context.zone),
                    duration,
                    Shortened(run.experiment_name(), 24),
                    Shortened(run.display_name(), 40)});
  }
  return Table({"NAME", "STATE", "STEPS", "CREATED", "TIME", "EXPERIMENT", "DISPLAY NAME"},
               rows,
               StyleOf(context));
}

absl::Status AddStatuses(const std::vector<std::string>& names, v1::ListRunsRequest* filter) {
  for (const std::string& name : names) {
    const v1::Status status = ParseStatus(name);
    if (status == v1::STATUS_UNSPECIFIED) {
      return absl::InvalidArgumentError(
          fmt::format("--status {}: no such state; runs are NotStarted, Running, CancelRequested, "
                      "Completed, Failed or Canceled",
                      name));
    }
    filter->add_status(status);
  }
  return absl::OkStatus();
}

absl::Status AddTags(const std::vector<std::string>& tags, v1::ListRunsRequest* filter) {
  for (const std::string& tag : tags) {
    const std::size_t equals = tag.find('=');
    if (equals == std::string::npos || equals == 0) {
      return absl::InvalidArgumentError(fmt::format("--tag {}: write KEY=VALUE", tag));
    }
    const std::string key = tag.substr(0, equals);
    if (filter->tags().contains(key)) {
      return absl::InvalidArgumentError(
          fmt::format("--tag {}: {} is given twice, and no run has two values of it", tag, key));
    }
    (*filter->mutable_tags())[key] = tag.substr(equals + 1);
  }
  return absl::OkStatus();
}

// So long before now as an option says, in Unix microseconds; 0: it says nothing.
absl::StatusOr<std::int64_t> TimeBefore(const char* option,
                                        const std::string& text,
                                        absl::Time now) {
  if (text.empty()) return 0;
  const absl::StatusOr<absl::Duration> span = ParseSpan(text);
  if (span.ok()) return std::max<std::int64_t>(absl::ToUnixMicros(now - *span), 1);
  return absl::InvalidArgumentError(
      fmt::format("{}: {}", option, std::string(span.status().message())));
}

absl::StatusOr<v1::ListRunsRequest> FilterOf(const ListOptions& options, absl::Time now) {
  const bool filters = !options.statuses.empty() || !options.experiment.empty() ||
                       !options.submitter.empty() || !options.since.empty() ||
                       !options.until.empty() || !options.text.empty() ||
                       !options.name_prefix.empty() || !options.tags.empty();
  if (filters && !options.parent.empty()) {
    return absl::InvalidArgumentError(
        "--parent-job-name lists all steps of one run: it does not go with filters of runs; choose "
        "steps by --query \"[?status=='Failed'].name\"");
  }
  v1::ListRunsRequest filter;
  filter.set_experiment_name(options.experiment);
  filter.set_submitter(options.submitter);
  filter.set_name_prefix(options.name_prefix);
  POTOK_RETURN_IF_ERROR(AddStatuses(options.statuses, &filter));
  POTOK_RETURN_IF_ERROR(AddTags(options.tags, &filter));
  filter.set_text(options.text);
  if (options.archived_only) {
    filter.set_archived(v1::ARCHIVED_RUNS_ONLY);
  } else if (options.include_archived) {
    filter.set_archived(v1::ARCHIVED_RUNS_INCLUDED);
  }
  POTOK_ASSIGN_OR_RETURN(const std::int64_t since, TimeBefore("--since", options.since, now));
  POTOK_ASSIGN_OR_RETURN(const std::int64_t until, TimeBefore("--until", options.until, now));
  filter.set_created_after_us(since);
  filter.set_created_before_us(until);
  return filter;
}

absl::StatusOr<std::vector<v1::Run>> Listed(const ListOptions& options,
                                            const v1::ListRunsRequest& filter,
                                            RunsClient& runs) {
  return runs.List(filter,
                   options.all_results ? static_cast<std::size_t>(-1)
                                       : static_cast<std::size_t>(options.results_max));
}

// The steps of a run, as jobs of which it is the parent.
int ListChildren(const Context& context, const ListOptions& options, const Connection& connection) {
  const absl::StatusOr<v1::Run> run =
      RunsClient(connection.channel()).Get(options.parent, /*without_spec=*/false);
  if (!run.ok()) return Complain(context, run.status());
  Array children = ChildJobs(*run, RunsAt(context, options.common, connection));
  const auto children_max = static_cast<std::size_t>(options.results_max);
  if (!options.all_results && children.size() > children_max) children.resize(children_max);
  return PrintObject(
      context, options.common, DefaultOutput::kForPeople, Value(std::move(children)), [&] {
        return StepTable(*run, absl::Now(), StyleOf(context));
      });
}

int RunList(Session& session, const ListOptions& options) {
  const Context& context = session.context;
  const absl::StatusOr<v1::ListRunsRequest> filter = FilterOf(options, absl::Now());
  if (!filter.ok()) return Complain(context, filter.status());
  const absl::StatusOr<Connection> connection = Connect(context, options.common);
  if (!connection.ok()) return Complain(context, connection.status());
  if (!options.parent.empty()) return ListChildren(context, options, *connection);
  RunsClient client(connection->channel());
  const absl::StatusOr<std::vector<v1::Run>> runs = Listed(options, *filter, client);
  if (!runs.ok()) return Complain(context, runs.status());
  Array items;
  const std::string runs_at = RunsAt(context, options.common, *connection);
  for (const v1::Run& run : *runs) items.push_back(JobListItem(run, runs_at));
  return PrintObject(
      context, options.common, DefaultOutput::kForPeople, Value(std::move(items)), [&] {
        return RunTable(*runs, context);
      });
}

}  // namespace

void AddJobList(CLI::App& job, Session& session) {
  const auto options = std::make_shared<ListOptions>();
  CommandOptions list =
      AddCommand(job,
                 session,
                 "list",
                 "Runs, newest first",
                 "potok job list --status Failed --since 3d --tag team=vision --text digits\n"
                 "  potok job list -r 5 --query \"[].{Name:name,Status:status}\" -o table",
                 options,
                 RunList);
  list.Number("-r,--max-results", "N", "How many at most (default 50)", 1, &options->results_max);
  list.Flag("--all-results", "All of them", &options->all_results);
  list.Text("-p,--parent-job-name",
            "RUN",
            "The steps of this run, each as a job RUN_STEP",
            &options->parent);
  list.Flag("--include-archived", "Archived runs, too", &options->include_archived);
  list.Flag("--archived-only", "Only archived runs", &options->archived_only);
  list.Exclude("--archived-only", "--include-archived");
  list.Group("Filters (all must hold)");
  list.Texts("--status", "STATE", "Only runs in this state, as Failed", &options->statuses);
  list.Text("--experiment,--experiment-name",
            "NAME",
            "Only runs of this experiment",
            &options->experiment);
  list.Text("--submitter", "USER", "Only runs that this user submitted", &options->submitter);
  list.Text("--since", "TIME", "Only runs submitted since: 30m, 2h, 3d, 1w", &options->since);
  list.Text("--until", "TIME", "Only runs submitted before: 30m, 2h, 3d, 1w", &options->until);
  list.Text("--text",
            "TEXT",
            "Only runs with this in name, display name or description, in any case",
            &options->text);
  list.Text("--name-prefix", "TEXT", "Only runs whose name begins so", &options->name_prefix);
  list.Texts("--tag", "KEY=VALUE", "Only runs with this tag", &options->tags);
  list.Group("Options");
  AddServerOptions(list, &options->common);
  AddOutputOptions(list, session, &options->common);
}

}  // namespace potok::client
