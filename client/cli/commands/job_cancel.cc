#include "client/cli/commands/command.h"
#include "client/cli/commands/show_run.h"
#include "client/cli/text/printable.h"
#include "client/potok_client/run_state.h"
#include "client/potok_client/runs_client.h"

namespace potok::client {
namespace {

struct CancelOptions {
  CommonOptions common;
  std::string name;
};

// The run as `job show` prints it, if an output was asked for.
int PrintCanceled(const Context& context,
                  const CancelOptions& options,
                  const Connection& connection) {
  const bool is_asked = !options.common.output.empty() || !options.common.query.empty();
  return is_asked ? ShowRun(context, options.common, connection, options.name) : kExitOk;
}

int RunCancel(Session& session, const CancelOptions& options) {
  const Context& context = session.context;
  const absl::StatusOr<Connection> connection = Connect(context, options.common);
  if (!connection.ok()) return Complain(context, connection.status());
  RunsClient runs(connection->channel());
  // Before the request, which may end it at once.
  const absl::StatusOr<v1::Run> before = runs.Get(options.name, true);
  if (!before.ok()) return Complain(context, before.status());
  if (HasEnded(before->status())) {
    *context.err << "The run " << Printable(options.name)
                 << " has ended already: " << NameOf(before->status()) << std::endl;
    return PrintCanceled(context, options, *connection);
  }
  const absl::Status canceled = runs.Cancel(
      options.name, context.user.empty() ? "canceled by a user" : "canceled by " + context.user);
  if (!canceled.ok()) return Complain(context, canceled);
  *context.err << "Asked the run " << Printable(options.name) << " to stop" << std::endl;
  return PrintCanceled(context, options, *connection);
}

}  // namespace

void AddJobCancel(CLI::App& job, Session& session) {
  const auto options = std::make_shared<CancelOptions>();
  CommandOptions cancel = AddCommand(job,
                                     session,
                                     "cancel",
                                     "Ask a run to stop",
                                     "potok job cancel -n brave_river_1",
                                     options,
                                     RunCancel);
  cancel.RequiredText("-n,--name", "NAME", "Name of the run", &options->name);
  AddServerOptions(cancel, &options->common);
  AddOutputOptions(cancel, session, &options->common);
}

}  // namespace potok::client
