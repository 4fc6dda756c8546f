#include "client/cli/commands/command.h"
#include "client/cli/commands/stream_run.h"

namespace potok::client {
namespace {

struct StreamOptions {
  CommonOptions common;
  std::string name;
};

int RunStream(Session& session, const StreamOptions& options) {
  const absl::StatusOr<Connection> connection = Connect(session.context, options.common);
  if (!connection.ok()) return Complain(session.context, connection.status());
  return StreamRun(session.context, options.common, *connection, options.name);
}

}  // namespace

void AddJobStream(CLI::App& job, Session& session) {
  const auto options = std::make_shared<StreamOptions>();
  CommandOptions stream = AddCommand(job,
                                     session,
                                     "stream",
                                     "Follow a run and the logs of its steps to the end",
                                     "potok job stream -n brave_river_1",
                                     options,
                                     RunStream);
  stream.RequiredText("-n,--name", "NAME", "Name of the run", &options->name);
  AddServerOptions(stream, &options->common);
}

}  // namespace potok::client
