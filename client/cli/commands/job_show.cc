#include "client/cli/commands/command.h"
#include "client/cli/commands/show_run.h"

namespace potok::client {
namespace {

struct ShowOptions {
  CommonOptions common;
  std::string name;
};

int RunShow(Session& session, const ShowOptions& options) {
  const absl::StatusOr<Connection> connection = Connect(session.context, options.common);
  if (!connection.ok()) return Complain(session.context, connection.status());
  return ShowRun(session.context, options.common, *connection, options.name);
}

}  // namespace

void AddJobShow(CLI::App& job, Session& session) {
  const auto options = std::make_shared<ShowOptions>();
  CommandOptions show = AddCommand(job,
                                   session,
                                   "show",
                                   "One run with its steps",
                                   "potok job show -n brave_river_1 --query status -o tsv",
                                   options,
                                   RunShow);
  show.RequiredText("-n,--name", "NAME", "Name of the run, or RUN_STEP", &options->name);
  show.IgnoredFlag("-e,--web");
  AddServerOptions(show, &options->common);
  AddOutputOptions(show, session, &options->common);
}

}  // namespace potok::client
