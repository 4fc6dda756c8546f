#include "absl/status/status.h"
#include "client/cli/commands/command.h"
#include "client/cli/text/printable.h"
#include "client/potok_client/exec_client.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

struct ExecOptions {
  CommonOptions common;
  std::string name;
  std::vector<std::string> words;  // [NAME] [STEP]
  std::string terminal = "auto";
};

absl::StatusOr<v1::ExecStart> StartOf(const Session& session, const ExecOptions& options) {
  v1::ExecStart start;
  std::vector<std::string> words = options.words;
  if (!options.name.empty()) words.insert(words.begin(), options.name);
  if (words.empty() || words.size() > 2) {
    return absl::InvalidArgumentError(
        "say one run and one step: potok job exec -n NAME STEP [-- COMMAND]");
  }
  if (session.has_own_command && session.own_command.empty()) {
    return absl::InvalidArgumentError(
        "there is no command behind \"--\"; leave it out for a shell");
  }
  const Context& context = session.context;
  start.set_run(words[0]);
  if (words.size() > 1) start.set_step(words[1]);
  for (const std::string& word : session.own_command) start.add_argv(word);
  start.set_user(context.user);
  start.set_terminal(
      options.terminal == "always" ||
      (options.terminal == "auto" && context.in_is_terminal && context.out_is_terminal));
  if (start.terminal()) {
    const std::string type = context.Variable("TERM");
    start.set_terminal_type(type.empty() ? "xterm" : type);
    const auto [columns, rows] = context.terminal_size();
    start.mutable_size()->set_columns(static_cast<std::int32_t>(columns));
    start.mutable_size()->set_rows(static_cast<std::int32_t>(rows));
  }
  return start;
}

int RunJobExec(Session& session, const ExecOptions& options) {
  const Context& context = session.context;
  absl::StatusOr<v1::ExecStart> start = StartOf(session, options);
  if (!start.ok()) return Complain(context, start.status());
  const absl::StatusOr<Connection> connection = Connect(context, options.common);
  if (!connection.ok()) return Complain(context, connection.status());
  std::shared_ptr<void> raw;  // the terminal's mode, while the command has it
  ExecSides sides;
  sides.input = context.input;
  sides.interrupted = context.interrupted;
  if (start->terminal()) sides.size = context.terminal_size;
  const bool is_raw = start->terminal() && context.raw_terminal != nullptr;
  const bool is_shell = session.own_command.empty() && start->terminal();
  sides.started = [&](const v1::ExecStarted& started) {
    if (is_shell && !context.only_errors) {
      *context.err << fmt::format("In attempt {} on {}; it ends with the step",
                                  started.attempt(),
                                  Printable(started.machine()))
                   << std::endl;
    }
    if (is_raw) raw = context.raw_terminal();
  };
  sides.output = [&context](const std::string& bytes, bool is_error) {
    (is_error ? *context.err : *context.out) << bytes << std::flush;
  };
  const absl::StatusOr<v1::ExecEnded> ended =
      RunExec(connection->channel(), *std::move(start), sides);
  raw = nullptr;
  if (!ended.ok()) {
    const int code = Complain(context, ended.status());
    // The server is there; it is the machine that is not.
    return code == kExitNoServer ? kExitFailed : code;
  }
  return ended->exit_code();
}

}  // namespace

void AddJobExec(CLI::App& job, Session& session) {
  const auto options = std::make_shared<ExecOptions>();
  CommandOptions exec = AddCommand(
      job,
      session,
      "exec",
      "Run a command, or a shell, beside a step that runs: in its folder, with its environment and "
      "limits, inside its sandbox or container. Its exit code becomes that of this command",
      "potok job exec -n brave_river_1 train\n"
      "  potok job exec -n brave_river_1 train -- nvidia-smi\n"
      "  potok job exec -n brave_river_1 train -- tail -n 20 outputs/history.csv",
      options,
      RunJobExec);
  exec.Text("-n,--name", "NAME", "Name of the run", &options->name);
  exec.Texts("step",
             "STEP",
             "The step; not needed for a run of one step. Without -n, NAME and STEP",
             &options->words);
  exec.Choice("--terminal",
              {"auto", "always", "never"},
              "A terminal for the command (auto: where this one has one)",
              &options->terminal);
  AddServerOptions(exec, &options->common);
}

}  // namespace potok::client
