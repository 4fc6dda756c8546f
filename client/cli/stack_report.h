// What of an embedded stack runs, for `potok up` and `potok status`.
#pragma once

#include <string>
#include <vector>

#include "client/cli/context.h"
#include "client/cli/stack/stack_state.h"
#include "client/cli/text/table.h"
#include "client/cli/text/value.h"
#include "potok/v1/machines.pb.h"

namespace potok::client {

struct ReportedProcess {
  ProcessState state;  // identity.pid 0: it does not run
  absl::Duration uptime;
};

struct StackReport {
  Home home;
  bool supervisor_runs = false;
  std::vector<ReportedProcess> processes;  // supervisor, server, database, agents
  bool server_answers = false;
  std::string server_error;  // why not
  std::string http_address;  // "127.0.0.1:PORT", or empty
  std::vector<v1::Machine> machines;
};

// Looks; changes nothing.
StackReport ReportOfStack(const Context& context);

Value StackObject(const StackReport& report);
std::string StackText(const StackReport& report, const TableStyle& style = {});

}  // namespace potok::client
