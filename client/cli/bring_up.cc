#include "client/cli/bring_up.h"

#include "client/cli/stack/daemon.h"
#include "client/cli/stack/stack_config.h"
#include "client/cli/stack/stack_state.h"
#include "client/cli/stack/supervisor.h"
#include "client/cli/text/printable.h"
#include "client/potok_client/line_splitter.h"
#include "client/potok_client/machines_client.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

// A server that ends so often without ever answering will not mend itself.
constexpr int kRestartsMax = 4;
constexpr absl::Duration kSupervisorPatience = absl::Seconds(5);
constexpr absl::Duration kPollInterval = absl::Milliseconds(50);

bool AnyRuns(const Home& home, const StackConfig& config) {
  if (SupervisorRuns(home)) return true;
  for (const ProcessSpec& process : ProcessesOf(config, home)) {
    if (LiveProcessOf(home.pid_file(process.name)).has_value()) return true;
  }
  return false;
}

std::vector<std::string> WithDashes(const std::vector<std::string>& flags) {
  std::vector<std::string> dashed;
  dashed.reserve(flags.size());
  for (const std::string& flag : flags) {
    dashed.push_back(flag.starts_with("--") ? flag : "--" + flag);
  }
  return dashed;
}

absl::StatusOr<StackConfig> WantedConfig(const Context& context, const UpOptions& options) {
  StackConfig config;
  config.server_program = options.server_program;
  config.agent_program = options.agent_program;
  const std::string path = context.Variable("PATH");
  if (config.server_program.empty()) {
    POTOK_ASSIGN_OR_RETURN(config.server_program,
                           FindProgram("potok-server", context.program, path));
  }
  if (config.agent_program.empty()) {
    POTOK_ASSIGN_OR_RETURN(config.agent_program, FindProgram("potok-agent", context.program, path));
  }
  config.server_flags = WithDashes(options.server_flags);
  config.agent_flags = WithDashes(options.agent_flags);
  config.agents = AgentNames(context.host, std::max(options.agents, 1));
  config.agent_memory = options.agent_memory;
  config.agent_cpus = options.agent_cpus;
  config.agent_gpus = options.agent_gpus;
  config.agent_labels = options.agent_labels;
  config.agent_pools = options.agent_pools;
  return config;
}

// What the stack shall be: what runs, if something runs; else what is asked for, else what was.
absl::StatusOr<StackConfig> DecideConfig(const Context& context,
                                         const UpOptions& options,
                                         const Home& home) {
  POTOK_ASSIGN_OR_RETURN(const std::optional<StackConfig> saved, LoadConfig(home));
  if (saved.has_value() && AnyRuns(home, *saved)) {
    if (!options.AsksForMore()) return *saved;
    UpOptions with_what_runs = options;
    with_what_runs.server_program = saved->server_program;
    with_what_runs.agent_program = saved->agent_program;
    POTOK_ASSIGN_OR_RETURN(StackConfig wanted, WantedConfig(context, with_what_runs));
    if (wanted == *saved) return wanted;
    return absl::FailedPreconditionError(
        fmt::format("the stack at {} runs already, with {} agent(s) and other settings than asked "
                    "for; stop it with `potok down`, then start it anew",
                    home.root,
                    saved->agents.size()));
  }
  POTOK_ASSIGN_OR_RETURN(StackConfig wanted, WantedConfig(context, options));
  if (saved.has_value() && !options.AsksForMore()) {
    StackConfig as_it_was = *saved;
    as_it_was.server_program = wanted.server_program;
    as_it_was.agent_program = wanted.agent_program;
    wanted = std::move(as_it_was);
  }
  POTOK_RETURN_IF_ERROR(SaveConfig(wanted, home));
  return wanted;
}

std::string EndOfLog(const Home& home, const std::string& process) {
  constexpr std::size_t kLinesShown = 12;
  LineSplitter splitter;
  std::vector<std::string> lines = splitter.Add(ContentOf(home.log(process)));
  if (std::string rest = splitter.Rest(); !rest.empty()) lines.push_back(std::move(rest));
  std::string text = fmt::format("\nend of {}:", home.log(process));
  const std::size_t begin = lines.size() > kLinesShown ? lines.size() - kLinesShown : 0;
  for (std::size_t i = begin; i < lines.size(); ++i) text += "\n  " + Printable(lines[i]);
  return text;
}

// The process that ends again and again, or empty.
std::string Failing(const Home& home) {
  for (const ProcessState& process : LoadState(home)) {
    if (process.restarts >= kRestartsMax && !process.last_end.empty() &&
        AgeOf(process.identity) < absl::Seconds(10)) {
      return process.name;
    }
  }
  return "";
}

std::set<std::string> ReadyMachines(const std::vector<v1::Machine>& machines) {
  std::set<std::string> ready;
  for (const v1::Machine& machine : machines) {
    if (machine.liveness() == v1::LIVENESS_READY) ready.insert(machine.name());
  }
  return ready;
}

// The process of an agent that is not ready, or "".
std::string AgentToWaitFor(const StackConfig& config, const std::vector<v1::Machine>& machines) {
  std::string waits_for;
  const std::set<std::string> ready = ReadyMachines(machines);
  for (const std::string& agent : config.agents) {
    if (!ready.contains(agent)) waits_for = "agent-" + agent;
  }
  return waits_for;
}

// Waits until all agents are ready. What it waits for is in the error of a timeout.
absl::Status WaitUntilReady(const Context& context,
                            const Home& home,
                            const StackConfig& config,
                            const Connection& connection,
                            absl::Time deadline) {
  const absl::Time started = absl::Now();
  MachinesClient machines(connection.channel());
  std::string waits_for = "server";
  while (absl::Now() < deadline && !context.interrupted.stop_requested()) {
    if (connection.WaitUntilReachable(kPollInterval).ok()) {
      const auto listed = machines.List(absl::Seconds(5));
      if (listed.ok()) {
        waits_for = AgentToWaitFor(config, *listed);
        if (waits_for.empty()) return absl::OkStatus();
      }
    }
    if (const std::string failing = Failing(home); !failing.empty()) {
      return absl::UnavailableError(
          fmt::format("{} ends again and again{}", failing, EndOfLog(home, failing)));
    }
    if (!SupervisorRuns(home) && absl::Now() - started > kSupervisorPatience) {
      return absl::UnavailableError("the supervisor ended" + EndOfLog(home, "supervisor"));
    }
    absl::SleepFor(kPollInterval);
  }
  if (context.interrupted.stop_requested()) {
    return absl::CancelledError("stopped waiting; the stack goes on starting: see `potok status`");
  }
  return absl::UnavailableError(fmt::format("{} was not ready after {}{}",
                                            waits_for,
                                            absl::FormatDuration(absl::Now() - started),
                                            EndOfLog(home, waits_for)));
}

}  // namespace

bool UpOptions::AsksForMore() const {
  return agents != 0 || !agent_memory.empty() || !agent_cpus.empty() || !agent_gpus.empty() ||
         !agent_labels.empty() || !agent_pools.empty() || !server_flags.empty() ||
         !agent_flags.empty();
}

absl::StatusOr<Connection> BringUp(const Context& context, const UpOptions& options) {
  const Home home = context.HomeOfUser();
  POTOK_RETURN_IF_ERROR(home.MakeFolders());
  POTOK_ASSIGN_OR_RETURN(const StackConfig config, DecideConfig(context, options, home));
  if (!SupervisorRuns(home)) {
    if (!context.only_errors) *context.err << "Starting Potok at " << home.root << std::endl;
    POTOK_RETURN_IF_ERROR(SpawnSupervisor(home, context.program));
  }
  Connection connection(ServerAddress{home.server_address(), "the embedded stack", true});
  const absl::Time deadline = absl::Now() + absl::Seconds(options.timeout_seconds);
  POTOK_RETURN_IF_ERROR(WaitUntilReady(context, home, config, connection, deadline));
  return connection;
}

}  // namespace potok::client
