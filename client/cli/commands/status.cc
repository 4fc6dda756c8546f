#include "client/cli/commands/command.h"
#include "client/cli/show/table_style.h"
#include "client/cli/stack_report.h"

namespace potok::client {
namespace {

int RunStatus(Session& session, const CommonOptions& options) {
  const StackReport report = ReportOfStack(session.context);
  const int printed =
      PrintObject(session.context, options, DefaultOutput::kForPeople, StackObject(report), [&] {
        return StackText(report, StyleOf(session.context));
      });
  if (printed != kExitOk) return printed;
  return report.supervisor_runs && report.server_answers ? kExitOk : kExitNoServer;
}

}  // namespace

void AddStatus(CLI::App& app, Session& session) {
  const auto options = std::make_shared<CommonOptions>();
  CommandOptions status = AddCommand(app,
                                     session,
                                     "status",
                                     "What of `potok up` runs here, and how the machines are",
                                     "potok status -o json",
                                     options,
                                     RunStatus);
  AddOutputOptions(status, session, options.get());
}

}  // namespace potok::client
