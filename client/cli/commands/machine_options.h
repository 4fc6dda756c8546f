// What the commands that say something of machines share.
#pragma once

#include <string>
#include <vector>

#include "client/cli/commands/command.h"
#include "potok/v1/machines.pb.h"

namespace potok::client {

struct MachinesOptions {
  CommonOptions common;
  std::vector<std::string> words;  // names of machines, and what else stands without a dash
  std::vector<std::string> names;  // of -n
  std::string reason;
};

// NAME..., -n, --reason, and the options of the server and of the output.
void AddMachinesOptions(CommandOptions& command,
                        Session& session,
                        const char* words_type,
                        const char* words_help,
                        MachinesOptions* options);

// Each name once, in order. INVALID_ARGUMENT if there is none.
absl::StatusOr<std::vector<std::string>> MachineNames(const std::vector<std::string>& words,
                                                      const MachinesOptions& options);

// Names, who it is and why, into a request.
template <class Request>
void FillMachinesRequest(const std::vector<std::string>& names,
                         const MachinesOptions& options,
                         const Context& context,
                         Request* request) {
  for (const std::string& name : names) request->add_names(name);
  request->set_reason(options.reason);
  request->set_by(context.user);
}

// The machines as they are now, as -o says; for people the table of `potok machine list`.
int PrintMachines(const Context& context,
                  const CommonOptions& options,
                  const v1::MachinesResponse& response);

}  // namespace potok::client
