#include "client/cli/commands/machine_commands.h"
#include "client/cli/commands/machine_options.h"
#include "client/potok_client/machines_client.h"

namespace potok::client {
namespace {

int RunMachineCordon(Session& session, const MachinesOptions& options) {
  const Context& context = session.context;
  const auto names = MachineNames(options.words, options);
  if (!names.ok()) return Complain(context, names.status());
  v1::CordonMachinesRequest request;
  FillMachinesRequest(*names, options, context, &request);
  const absl::StatusOr<Connection> connection = Connect(context, options.common);
  if (!connection.ok()) return Complain(context, connection.status());
  const auto response = MachinesClient(connection->channel()).Cordon(request);
  if (!response.ok()) return Complain(context, response.status());
  return PrintMachines(context, options.common, *response);
}

int RunMachineUncordon(Session& session, const MachinesOptions& options) {
  const Context& context = session.context;
  const auto names = MachineNames(options.words, options);
  if (!names.ok()) return Complain(context, names.status());
  v1::UncordonMachinesRequest request;
  FillMachinesRequest(*names, options, context, &request);
  const absl::StatusOr<Connection> connection = Connect(context, options.common);
  if (!connection.ok()) return Complain(context, connection.status());
  const auto response = MachinesClient(connection->channel()).Uncordon(request);
  if (!response.ok()) return Complain(context, response.status());
  return PrintMachines(context, options.common, *response);
}

}  // namespace

void AddMachineCordon(CLI::App& machine, Session& session) {
  const auto options = std::make_shared<MachinesOptions>();
  CommandOptions cordon =
      AddCommand(machine,
                 session,
                 "cordon",
                 "Keep new steps off machines; what runs there goes on",
                 "potok machine cordon gpu-1 gpu-2 --reason 'the disk is being replaced'",
                 options,
                 RunMachineCordon);
  AddMachinesOptions(cordon, session, "MACHINE", "Names of machines", options.get());
}

void AddMachineUncordon(CLI::App& machine, Session& session) {
  const auto options = std::make_shared<MachinesOptions>();
  CommandOptions uncordon =
      AddCommand(machine,
                 session,
                 "uncordon",
                 "Let new steps onto machines again: ends a cordon, a drain and a quarantine",
                 "potok machine uncordon gpu-1 --reason 'the disk is new'",
                 options,
                 RunMachineUncordon);
  AddMachinesOptions(uncordon, session, "MACHINE", "Names of machines", options.get());
}

}  // namespace potok::client
