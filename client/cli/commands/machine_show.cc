#include "client/cli/commands/command.h"
#include "client/cli/show/machine_object.h"
#include "client/cli/show/machine_text.h"
#include "client/cli/show/table_style.h"
#include "client/potok_client/machines_client.h"

namespace potok::client {
namespace {

struct MachineShowOptions {
  CommonOptions common;
  std::string name;
};

int RunMachineShow(Session& session, const MachineShowOptions& options) {
  const Context& context = session.context;
  const absl::StatusOr<Connection> connection = Connect(context, options.common);
  if (!connection.ok()) return Complain(context, connection.status());
  const absl::StatusOr<v1::Machine> machine =
      MachinesClient(connection->channel()).Get(options.name);
  if (!machine.ok()) return Complain(context, machine.status());
  return PrintObject(
      context, options.common, DefaultOutput::kJsonUnlessTerminal, MachineObject(*machine), [&] {
        return MachineText(*machine, context.zone, StyleOf(context));
      });
}

}  // namespace

void AddMachineShow(CLI::App& machine, Session& session) {
  const auto options = std::make_shared<MachineShowOptions>();
  CommandOptions show = AddCommand(machine,
                                   session,
                                   "show",
                                   "One machine and what runs on it",
                                   "potok machine show -n gpu-1",
                                   options,
                                   RunMachineShow);
  show.RequiredText("-n,--name", "NAME", "Name of the machine", &options->name);
  AddServerOptions(show, &options->common);
  AddOutputOptions(show, session, &options->common);
}

}  // namespace potok::client
