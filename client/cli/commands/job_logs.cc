#include "client/cli/commands/command.h"
#include "client/cli/text/printable.h"
#include "client/potok_client/line_splitter.h"
#include "client/potok_client/log_tail.h"
#include "client/potok_client/runs_client.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

struct LogsOptions {
  CommonOptions common;
  std::string name;
  std::string step;
  int attempt = 0;
  int tail = 0;
  std::int64_t offset = 0;
  bool follow = false;
};

// To a file the bytes as they are; to a terminal line by line, made harmless.
class LogWriter {
 public:
  explicit LogWriter(const Context& context) : context_(context) {}
  void Write(const std::string& data) {
    if (!context_.out_is_terminal) {
      context_.out->write(data.data(), static_cast<std::streamsize>(data.size()));
      context_.out->flush();
      return;
    }
    for (const std::string& line : splitter_.Add(data)) WriteLine(line);
  }
  void Close() {
    if (const std::string rest = splitter_.Rest(); !rest.empty()) WriteLine(rest);
  }

 private:
  void WriteLine(const std::string& line) const {
    *context_.out << PrintableLogLine(line) << "\n" << std::flush;
  }
  const Context& context_;
  LineSplitter splitter_;
};

// The step whose log is meant when none was named.
absl::StatusOr<std::string> OnlyStep(RunsClient& runs, const std::string& name) {
  const absl::StatusOr<v1::Run> run = runs.Get(name, /*without_spec=*/true);
  if (!run.ok()) return run.status();
  if (run->steps_size() == 1) return run->steps(0).name();
  std::string names;
  constexpr int kNamesMax = 20;
  for (int i = 0; i < std::min(run->steps_size(), kNamesMax); ++i) {
    names += (i == 0 ? "" : ", ") + run->steps(i).name();
  }
  if (run->steps_size() > kNamesMax) names += ", ...";
  return absl::InvalidArgumentError(fmt::format(
      "the run {} has {} steps: name one with --step ({})", name, run->steps_size(), names));
}

int RunLogs(Session& session, const LogsOptions& options) {
  const Context& context = session.context;
  const absl::StatusOr<Connection> connection = Connect(context, options.common);
  if (!connection.ok()) return Complain(context, connection.status());
  RunsClient runs(connection->channel());
  absl::StatusOr<std::string> step = options.step;
  if (options.step.empty()) step = OnlyStep(runs, options.name);
  if (!step.ok()) return Complain(context, step.status());
  v1::LogsRequest request;
  request.set_name(options.name);
  request.set_step(*step);
  request.set_attempt(options.attempt);
  request.set_offset(options.offset);
  request.set_follow(options.follow);
  LogWriter writer(context);
  if (options.tail > 0) {
    const absl::StatusOr<LogTail> tail =
        TailOfLog(runs, request, static_cast<std::size_t>(options.tail));
    if (!tail.ok()) return Complain(context, tail.status());
    writer.Write(tail->text);
    request.set_offset(tail->end);
    request.set_attempt(tail->attempt);
  }
  const bool all_is_read = options.tail > 0 && !options.follow;
  const absl::Status status =
      all_is_read ? absl::OkStatus()
                  : runs.Logs(
                        request,
                        [&](const v1::LogsResponse& part) { writer.Write(part.data()); },
                        context.interrupted);
  writer.Close();
  if (context.interrupted.stop_requested()) return kExitInterrupted;
  return status.ok() ? kExitOk : Complain(context, status);
}

}  // namespace

void AddJobLogs(CLI::App& job, Session& session) {
  const auto options = std::make_shared<LogsOptions>();
  CommandOptions logs = AddCommand(job,
                                   session,
                                   "logs",
                                   "The log of a step",
                                   "potok job logs -n brave_river_1 --step train --tail 100 -f",
                                   options,
                                   RunLogs);
  logs.RequiredText("-n,--name", "NAME", "Name of the run", &options->name);
  logs.Text("--step", "NAME", "Step; not needed when there is only one", &options->step);
  logs.Number("--attempt", "N", "Attempt, from 1 (default: the latest)", 1, &options->attempt);
  logs.Number("--tail", "N", "Only the last lines", 1, &options->tail);
  logs.Offset(
      "--offset", "BYTES", "From this byte; negative: counted from the end", &options->offset);
  logs.Exclude("--tail", "--offset");
  logs.Flag("-f,--follow", "Go on until the step has ended", &options->follow);
  AddServerOptions(logs, &options->common);
}

}  // namespace potok::client
