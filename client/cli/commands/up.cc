#include "client/cli/bring_up.h"
#include "client/cli/commands/command.h"
#include "client/cli/show/table_style.h"
#include "client/cli/stack_report.h"

namespace potok::client {
namespace {

int RunUp(Session& session, const UpOptions& options) {
  const absl::StatusOr<Connection> connection = BringUp(session.context, options);
  if (!connection.ok()) return Complain(session.context, connection.status());
  *session.context.out << StackText(ReportOfStack(session.context), StyleOf(session.context))
                       << std::flush;
  return kExitOk;
}

}  // namespace

void AddUp(CLI::App& app, Session& session) {
  const auto options = std::make_shared<UpOptions>();
  CommandOptions up = AddCommand(app,
                                 session,
                                 "up",
                                 "Start Potok on this machine: server, database and agents",
                                 "potok up --agents 2 --agent-memory 8GiB",
                                 options,
                                 RunUp);
  up.Number("--agents", "N", "Agents on this machine (default 1)", 1, &options->agents);
  up.Text("--agent-memory", "SIZE", "Memory that each offers, as 8GiB", &options->agent_memory);
  up.Text("--agent-cpus", "N", "CPUs that each offers", &options->agent_cpus);
  up.Text("--agent-gpus", "N", "GPUs that each offers", &options->agent_gpus);
  up.Texts("--agent-label", "KEY=VALUE", "Label of the agents", &options->agent_labels);
  up.Texts("--agent-pool", "NAME", "Pool of the agents", &options->agent_pools);
  up.Texts("--agent-flag",
           "NAME=VALUE",
           "A flag of potok-agent, as resource=fpga=2 or gpu=model=A100,memory=40GiB",
           &options->agent_flags);
  up.Texts("--server-flag",
           "NAME=VALUE",
           "A flag of potok-server, as retention=30d or artifacts-quota=500GiB",
           &options->server_flags);
  up.Text("--server-binary", "PATH", "Run this as potok-server", &options->server_program);
  up.Text("--agent-binary", "PATH", "Run this as potok-agent", &options->agent_program);
  up.Number("--timeout",
            "SECONDS",
            "How long to wait until all is ready (default 120)",
            1,
            &options->timeout_seconds);
}

}  // namespace potok::client
