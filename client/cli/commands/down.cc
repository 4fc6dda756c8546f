#include <spdlog/spdlog.h>

#include <csignal>
#include <filesystem>

#include "client/cli/commands/command.h"
#include "client/cli/stack/postmaster.h"
#include "client/cli/stack/stack_config.h"
#include "client/cli/stack/stack_state.h"
#include "client/cli/stack/supervisor.h"
#include "client/cli/text/table.h"

namespace potok::client {
namespace {

// Longer than the supervisor's own patience with agents, server and PostgreSQL.
constexpr absl::Duration kDownPatience = absl::Seconds(180);

struct DownOptions {};

// The processes in the order in which they are stopped.
std::vector<std::pair<std::string, ProcessIdentity>> Running(const Home& home) {
  std::vector<std::pair<std::string, ProcessIdentity>> running;
  for (const ProcessState& process : LoadState(home)) {
    if (IsAlive(process.identity))
      running.insert(running.begin(), {process.name, process.identity});
  }
  if (const auto postmaster = PostmasterOf(home)) running.emplace_back("PostgreSQL", *postmaster);
  if (const auto supervisor = LiveProcessOf(home.supervisor_pid_file())) {
    running.emplace_back("supervisor", *supervisor);
  }
  return running;
}

absl::Status StopBySupervisor(const Context& context, const Home& home) {
  const std::optional<ProcessIdentity> supervisor = LiveProcessOf(home.supervisor_pid_file());
  if (!supervisor.has_value()) {
    return absl::AbortedError(
        fmt::format("{} is held, but {} names no process that runs: try again",
                    home.supervisor_lock(),
                    home.supervisor_pid_file()));
  }
  std::vector<std::pair<std::string, ProcessIdentity>> running = Running(home);
  const absl::Time started = absl::Now();
  if (kill(supervisor->pid, SIGTERM) != 0) {
    return absl::PermissionDeniedError(
        fmt::format("may not stop the supervisor, process {}", supervisor->pid));
  }
  while (!running.empty() && absl::Now() - started < kDownPatience) {
    absl::SleepFor(absl::Milliseconds(20));
    for (auto process = running.begin(); process != running.end();) {
      if (IsAlive(process->second)) {
        ++process;
        continue;
      }
      *context.out << fmt::format(
                          "{} stopped ({})\n", process->first, ShortDuration(absl::Now() - started))
                   << std::flush;
      process = running.erase(process);
    }
  }
  if (running.empty()) return absl::OkStatus();
  return absl::DeadlineExceededError(fmt::format("{} did not stop within {}; see {}",
                                                 running.front().first,
                                                 absl::FormatDuration(kDownPatience),
                                                 home.logs()));
}

int RunDown(Session& session, const DownOptions& /*options*/) {
  const Context& context = session.context;
  const Home home = context.HomeOfUser();
  // What the supervisor's parts log is no output of this command, unless something is wrong.
  spdlog::set_level(spdlog::level::warn);
  if (SupervisorRuns(home)) {
    if (const absl::Status stopped = StopBySupervisor(context, home); !stopped.ok()) {
      return Complain(context, stopped);
    }
  } else {
    const absl::StatusOr<std::optional<StackConfig>> config = LoadConfig(home);
    if (!config.ok()) return Complain(context, config.status());
    const absl::StatusOr<std::vector<std::string>> stopped =
        config->has_value() ? StopLeftovers(home, **config, StopPatience())
                            : std::vector<std::string>();
    if (!stopped.ok()) return Complain(context, stopped.status());
    for (const std::string& name : *stopped) *context.out << name << " stopped\n";
    if (stopped->empty()) *context.out << "Nothing runs at " << home.root << "\n";
    context.out->flush();
  }
  // The next `potok up` starts from what it is asked for, not from what this stack was.
  std::error_code ignored;
  std::filesystem::remove(home.config_file(), ignored);
  return kExitOk;
}

}  // namespace

void AddDown(CLI::App& app, Session& session) {
  AddCommand(app,
             session,
             "down",
             "Stop what `potok up` started: agents, server, database; all data stays",
             "potok down",
             std::make_shared<DownOptions>(),
             RunDown);
}

}  // namespace potok::client
