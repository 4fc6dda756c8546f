#include "client/cli/commands/command.h"
#include "client/cli/show/machine_object.h"
#include "client/cli/show/machine_text.h"
#include "client/cli/show/table_style.h"
#include "client/potok_client/machines_client.h"

namespace potok::client {
namespace {

int RunMachineList(Session& session, const CommonOptions& options) {
  const absl::StatusOr<Connection> connection = Connect(session.context, options);
  if (!connection.ok()) return Complain(session.context, connection.status());
  const absl::StatusOr<std::vector<v1::Machine>> machines =
      MachinesClient(connection->channel()).List();
  if (!machines.ok()) return Complain(session.context, machines.status());
  Array items;
  for (const v1::Machine& machine : *machines) items.push_back(MachineObject(machine));
  return PrintObject(
      session.context, options, DefaultOutput::kForPeople, Value(std::move(items)), [&] {
        return MachineTable(*machines, StyleOf(session.context));
      });
}

}  // namespace

void AddMachineList(CLI::App& machine, Session& session) {
  const auto options = std::make_shared<CommonOptions>();
  CommandOptions list = AddCommand(machine,
                                   session,
                                   "list",
                                   "Machines, what they have and what is in use",
                                   "potok machine list -o json",
                                   options,
                                   RunMachineList);
  AddServerOptions(list, options.get());
  AddOutputOptions(list, session, options.get());
}

}  // namespace potok::client
