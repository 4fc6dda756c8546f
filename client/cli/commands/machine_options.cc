#include "client/cli/commands/machine_options.h"

#include <algorithm>

#include "client/cli/show/machine_object.h"
#include "client/cli/show/machine_text.h"
#include "client/cli/show/table_style.h"

namespace potok::client {

void AddMachinesOptions(CommandOptions& command,
                        Session& session,
                        const char* words_type,
                        const char* words_help,
                        MachinesOptions* options) {
  command.ManyTexts("machine", words_type, words_help, &options->words);
  command.Texts("-n,--name", "MACHINE", "Name of a machine", &options->names);
  command.Text(
      "--reason", "TEXT", "Why; kept with your name, and shown with the machine", &options->reason);
  AddServerOptions(command, &options->common);
  AddOutputOptions(command, session, &options->common);
}

absl::StatusOr<std::vector<std::string>> MachineNames(const std::vector<std::string>& words,
                                                      const MachinesOptions& options) {
  std::vector<std::string> names;
  const auto add = [&names](const std::string& name) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  };
  std::ranges::for_each(words, add);
  std::ranges::for_each(options.names, add);
  if (!names.empty()) return names;
  return absl::InvalidArgumentError(
      "no machine is named; give the names of one or more ('potok machine list' shows them)");
}

int PrintMachines(const Context& context,
                  const CommonOptions& options,
                  const v1::MachinesResponse& response) {
  Array items;
  for (const v1::Machine& machine : response.machines()) items.push_back(MachineObject(machine));
  return PrintObject(context, options, DefaultOutput::kForPeople, Value(std::move(items)), [&] {
    const std::vector<v1::Machine> machines(response.machines().begin(), response.machines().end());
    return MachineTable(machines, StyleOf(context));
  });
}

}  // namespace potok::client
