#include <set>

#include "client/cli/commands/command.h"
#include "client/cli/logs/log_printer.h"
#include "client/cli/logs/log_time.h"
#include "client/potok_client/log_follower.h"
#include "client/potok_client/runs_client.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

struct LogsOptions {
  CommonOptions common;
  std::string name;
  std::vector<std::string> steps;
  int attempt = 0;
  int tail = 0;
  std::int64_t offset = 0;
  std::int64_t end_offset = 0;
  std::string lines;
  std::string since;
  std::string until;
  bool follow = false;
  bool timestamps = false;
  std::string output;
  std::string grep;
  bool ignore_case = false;
  int context = 0;
  bool count = false;
};

absl::Status SetPlaces(const LogsOptions& options, absl::TimeZone zone, v1::LogsRequest* request) {
  request->set_offset(options.offset);
  request->set_end_offset(options.end_offset);
  request->set_tail_lines(options.tail);
  if (!options.lines.empty()) {
    POTOK_ASSIGN_OR_RETURN(const auto range, ParseLineRange(options.lines));
    request->set_from_line(range.first);
    request->set_to_line(range.second);
  }
  const absl::Time now = absl::Now();
  if (!options.since.empty()) {
    POTOK_ASSIGN_OR_RETURN(const std::int64_t since, ParseLogTime(options.since, now, zone));
    request->set_since_us(since);
  }
  if (!options.until.empty()) {
    POTOK_ASSIGN_OR_RETURN(const std::int64_t until, ParseLogTime(options.until, now, zone));
    request->set_until_us(until);
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::LogsRequest> RequestOf(const LogsOptions& options, absl::TimeZone zone) {
  v1::LogsRequest request;
  request.set_name(options.name);
  request.set_attempt(options.attempt);
  request.set_follow(options.follow);
  request.set_with_times(options.timestamps);
  POTOK_RETURN_IF_ERROR(SetPlaces(options, zone, &request));
  if (!options.grep.empty()) {
    v1::LogSearch& search = *request.mutable_search();
    search.set_pattern(options.grep);
    search.set_ignore_case(options.ignore_case);
    search.set_context_lines(options.context);
    search.set_count_only(options.count);
  } else if (options.ignore_case || options.context != 0 || options.count) {
    return absl::InvalidArgumentError("-i, -C and --count say how to search: give --grep REGEX");
  }
  return request;
}

// Which steps; true if there may be several.
absl::StatusOr<bool> SetSteps(RunsClient& runs,
                              const LogsOptions& options,
                              v1::LogsRequest* request) {
  const std::set<std::string> named(options.steps.begin(), options.steps.end());
  if (named.size() == 1 && named.begin()->find_first_of("*?") == std::string::npos) {
    request->set_step(*named.begin());
    return false;
  }
  for (const std::string& step : named) request->add_steps(step);
  if (!named.empty()) return true;
  POTOK_ASSIGN_OR_RETURN(const v1::Run run, runs.Get(options.name, /*without_spec=*/true));
  request->add_steps("*");
  return run.steps_size() > 1;
}

absl::Status ReadLogs(const Context& context,
                      RunsClient& runs,
                      const v1::LogsRequest& request,
                      LogPrinter& printer) {
  const auto print = [&](const v1::LogsResponse& part) { printer.Print(part); };
  if (!request.follow()) return runs.Logs(request, print, context.interrupted);
  LogFollowOptions follow;
  follow.line_changed = [&](const absl::Status& status) {
    *context.err << (status.ok() ? "potok: the server is back\n"
                                 : fmt::format("potok: the line to the server was cut ({}); "
                                               "trying again\n",
                                               std::string(status.message())))
                 << std::flush;
  };
  return FollowLogs(runs, request, print, follow, context.interrupted);
}

int RunLogs(Session& session, const LogsOptions& options) {
  const Context& context = session.context;
  absl::StatusOr<v1::LogsRequest> request = RequestOf(options, context.zone);
  if (!request.ok()) return Complain(context, request.status());
  const absl::StatusOr<Connection> connection = Connect(context, options.common);
  if (!connection.ok()) return Complain(context, connection.status());
  RunsClient runs(connection->channel());
  const absl::StatusOr<bool> several = SetSteps(runs, options, &*request);
  if (!several.ok()) return Complain(context, several.status());
  LogPrinterOptions print;
  print.raw = options.output == "raw";
  print.several = *several;
  print.interleaved = options.follow || !options.grep.empty();
  print.times = options.timestamps;
  print.context = options.context > 0;
  LogPrinter printer(context, print);
  const absl::Status status = ReadLogs(context, runs, *request, printer);
  printer.Close();
  if (context.interrupted.stop_requested()) return kExitInterrupted;
  if (!status.ok()) return Complain(context, status);
  return options.grep.empty() || printer.matches() > 0 ? kExitOk : kExitFailed;
}

void AddPlaces(CommandOptions& logs, LogsOptions* options) {
  logs.Group("Which part (times are when a line reached the server, to 0.1 s)");
  logs.Number("--tail", "N", "Only the last lines", 1, &options->tail);
  logs.Text("--since",
            "TIME",
            "Only what came since: 10m, 2d, 20:30, 2026-11-27 20:30:15",
            &options->since);
  logs.Text("--until", "TIME", "Only what came up to then", &options->until);
  logs.Text("--lines", "FIRST:LAST", "Only these lines, counted from 1", &options->lines);
  logs.Offset(
      "--offset", "BYTES", "From this byte; negative: counted from the end", &options->offset);
  logs.Offset("--end-offset", "BYTES", "Up to this byte, without it", &options->end_offset);
  logs.Exclude("--tail", "--offset");
  logs.Exclude("--tail", "--since");
  logs.Exclude("--tail", "--lines");
  logs.Exclude("--since", "--offset");
  logs.Exclude("--since", "--lines");
  logs.Exclude("--lines", "--offset");
}

void AddSearch(CommandOptions& logs, LogsOptions* options) {
  logs.Group("Search (on the server; exit code 1 if nothing is found)");
  logs.Text(
      "--grep", "REGEX", "Only lines that match (RE2 syntax), with their numbers", &options->grep);
  logs.Flag("-i,--ignore-case", "Upper and lower case are the same", &options->ignore_case);
  logs.Number("-C,--context", "N", "Also so many lines around each match", 1, &options->context);
  logs.Flag("--count", "Only how many lines match", &options->count);
}

}  // namespace

void AddJobLogs(CLI::App& job, Session& session) {
  const auto options = std::make_shared<LogsOptions>();
  CommandOptions logs =
      AddCommand(job,
                 session,
                 "logs",
                 "The logs of a run's steps: all of them, or those that are named",
                 "potok job logs -n brave_river_1 --step train --tail 100 -f\n"
                 "  potok job logs -n brave_river_1 -f --step 'fit*'\n"
                 "  potok job logs -n brave_river_1 --grep 'error|warn' -i -C 2",
                 options,
                 RunLogs);
  logs.RequiredText("-n,--name", "NAME", "Name of the run", &options->name);
  logs.Texts("--step", "NAME", "Step, or steps: fit*, fold?", &options->steps);
  logs.Number("--attempt", "N", "Attempt, from 1 (default: the latest)", 1, &options->attempt);
  logs.Flag("-f,--follow",
            "Go on until the steps have ended, with those that begin later; each line behind the "
            "name of its step if there are several",
            &options->follow);
  logs.Flag("--timestamps", "When each line reached the server", &options->timestamps);
  logs.Choice("-o,--output",
              {"text", "raw"},
              "raw: the bytes as they were written, also on a terminal",
              &options->output);
  AddPlaces(logs, options.get());
  AddSearch(logs, options.get());
  logs.Group("Options");
  AddServerOptions(logs, &options->common);
}

}  // namespace potok::client
