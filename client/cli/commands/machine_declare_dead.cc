#include "client/cli/commands/command.h"
#include "client/cli/commands/machine_commands.h"
#include "client/cli/commands/machine_options.h"
#include "client/potok_client/machines_client.h"

namespace potok::client {
namespace {

struct DeclareDeadOptions {
  CommonOptions common;
  std::string name;
};

int RunDeclareDead(Session& session, const DeclareDeadOptions& options) {
  const Context& context = session.context;
  const absl::StatusOr<Connection> connection = Connect(context, options.common);
  if (!connection.ok()) return Complain(context, connection.status());
  const auto machine = MachinesClient(connection->channel()).DeclareDead(options.name);
  if (!machine.ok()) return Complain(context, machine.status());
  v1::MachinesResponse response;
  *response.add_machines() = *machine;
  return PrintMachines(context, options.common, response);
}

}  // namespace

void AddMachineDeclareDead(CLI::App& machine, Session& session) {
  const auto options = std::make_shared<DeclareDeadOptions>();
  CommandOptions declare = AddCommand(
      machine,
      session,
      "declare-dead",
      "Say that a machine is gone for good, so that its steps run elsewhere at once. Only "
      "when its processes have surely ended: else a step runs twice",
      "potok machine declare-dead gpu-1",
      options,
      RunDeclareDead);
  declare.RequiredText("machine", "MACHINE", "Name of the machine", &options->name);
  AddServerOptions(declare, &options->common);
  AddOutputOptions(declare, session, &options->common);
}

}  // namespace potok::client
