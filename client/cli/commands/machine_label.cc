#include "client/cli/commands/machine_commands.h"
#include "client/cli/commands/machine_options.h"
#include "client/potok_client/machines_client.h"
#include "common/base/machine_labels.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

// Words with '=' set a label, words that end in '-' remove one, the others name machines.
absl::StatusOr<v1::LabelMachinesRequest> LabelRequestOf(const MachinesOptions& options,
                                                        const Context& context) {
  v1::LabelMachinesRequest request;
  std::vector<std::string> names;
  for (const std::string& word : options.words) {
    const std::size_t equals = word.find('=');
    if (equals != std::string::npos) {
      POTOK_RETURN_IF_ERROR(CheckMachineLabel(word.substr(0, equals), word.substr(equals + 1)));
      (*request.mutable_set())[word.substr(0, equals)] = word.substr(equals + 1);
    } else if (word.ends_with('-')) {
      POTOK_RETURN_IF_ERROR(CheckMachineLabelName(word.substr(0, word.size() - 1)));
      request.add_remove(word.substr(0, word.size() - 1));
    } else {
      names.push_back(word);
    }
  }
  const auto edits = static_cast<std::size_t>(request.set().size()) +
                     static_cast<std::size_t>(request.remove_size());
  if (edits == 0) {
    return absl::InvalidArgumentError(
        "no label is given; write zone=b to set a label, zone- to remove it");
  }
  if (edits > kMachineLabelsMax) {
    return absl::InvalidArgumentError(fmt::format(
        "a machine carries up to {} labels, and {} are given", kMachineLabelsMax, edits));
  }
  POTOK_ASSIGN_OR_RETURN(const std::vector<std::string> machines, MachineNames(names, options));
  FillMachinesRequest(machines, options, context, &request);
  return request;
}

int RunMachineLabel(Session& session, const MachinesOptions& options) {
  const Context& context = session.context;
  const auto request = LabelRequestOf(options, context);
  if (!request.ok()) return Complain(context, request.status());
  const absl::StatusOr<Connection> connection = Connect(context, options.common);
  if (!connection.ok()) return Complain(context, connection.status());
  const auto response = MachinesClient(connection->channel()).Label(*request);
  if (!response.ok()) return Complain(context, response.status());
  return PrintMachines(context, options.common, *response);
}

}  // namespace

void AddMachineLabel(CLI::App& machine, Session& session) {
  const auto options = std::make_shared<MachinesOptions>();
  CommandOptions label = AddCommand(
      machine,
      session,
      "label",
      "Set and remove labels of machines. The server keeps them over those of the agents",
      "potok machine label gpu-1 gpu-2 zone=b disk-",
      options,
      RunMachineLabel);
  AddMachinesOptions(label,
                     session,
                     "MACHINE",
                     "Names of machines, NAME=VALUE to set a label, NAME- to remove one",
                     options.get());
}

}  // namespace potok::client
