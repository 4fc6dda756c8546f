#include "client/cli/bring_up.h"
#include "client/cli/commands/command.h"
#include "client/cli/stack_report.h"

namespace potok::client {
namespace {

int RunUp(Session& session, const UpOptions& options) {
  const absl::StatusOr<Connection> connection = BringUp(session.context, options);
  if (!connection.ok()) return Complain(session.context, connection.status());
  *session.context.out << StackText(ReportOfStack(session.context)) << std::flush;
  return kExitOk;
}

}  // namespace

void AddUp(CLI::App& app, Session& session) {
  const auto options = std::make_shared<UpOptions>();
  CLI::App* up = AddCommand(app,
                            session,
                            "up",
                            "Start Potok on this machine: server, database and agents",
                            "potok up --agents 2 --agent-memory 8GiB",
                            options,
                            RunUp);
  up->add_option("--agents", options->agents, "Agents on this machine (default 1)")
      ->check(CLI::Range(1, 256))
      ->type_name("N");
  up->add_option("--agent-memory", options->agent_memory, "Memory that each agent offers, as 8GiB")
      ->type_name("SIZE");
  up->add_option("--agent-cpus", options->agent_cpus, "CPUs that each agent offers")
      ->type_name("N");
  up->add_option("--agent-gpus", options->agent_gpus, "GPUs that each agent offers")
      ->type_name("N");
  up->add_option("--agent-label", options->agent_labels, "Label of the agents, may be repeated")
      ->type_name("KEY=VALUE");
  up->add_option("--agent-pool", options->agent_pools, "Pool of the agents, may be repeated")
      ->type_name("NAME");
  up->add_option("--server-binary", options->server_program, "Run this instead of potok-server")
      ->type_name("PATH");
  up->add_option("--agent-binary", options->agent_program, "Run this instead of potok-agent")
      ->type_name("PATH");
  up->add_option("--timeout", options->timeout_seconds, "How long to wait until all is ready")
      ->check(CLI::Range(1, 86400))
      ->type_name("SECONDS")
      ->capture_default_str();
}

}  // namespace potok::client
