#include "client/cli/commands/command.h"
#include "client/cli/text/printable.h"
#include "client/potok_client/runs_client.h"

namespace potok::client {
namespace {

struct HoldOptions {
  CommonOptions common;
  std::string name;
  std::string reason;
};

struct ReleaseOptions {
  CommonOptions common;
  std::string name;
};

int RunHold(Session& session, const HoldOptions& options) {
  const Context& context = session.context;
  const absl::StatusOr<Connection> connection = Connect(context, options.common);
  if (!connection.ok()) return Complain(context, connection.status());
  RunsClient runs(connection->channel());
  const absl::Status held = runs.Hold(options.name, context.user, options.reason);
  if (!held.ok()) return Complain(context, held);
  *context.err << "The run " << Printable(options.name)
               << " is held: what runs goes on, and nothing more of it starts until `potok job "
                  "release -n "
               << Printable(options.name) << "`" << std::endl;
  return kExitOk;
}

int RunRelease(Session& session, const ReleaseOptions& options) {
  const Context& context = session.context;
  const absl::StatusOr<Connection> connection = Connect(context, options.common);
  if (!connection.ok()) return Complain(context, connection.status());
  RunsClient runs(connection->channel());
  const absl::Status released = runs.Release(options.name);
  if (!released.ok()) return Complain(context, released);
  *context.err << "The run " << Printable(options.name) << " is not held" << std::endl;
  return kExitOk;
}

}  // namespace

void AddJobHold(CLI::App& job, Session& session) {
  const auto options = std::make_shared<HoldOptions>();
  CommandOptions hold = AddCommand(job,
                                   session,
                                   "hold",
                                   "Start nothing more of a run; what runs goes on",
                                   "potok job hold -n brave_river_1 --reason 'disk is full'",
                                   options,
                                   RunHold);
  hold.RequiredText("-n,--name", "NAME", "Name of the run", &options->name);
  hold.Text("--reason", "TEXT", "Shown to whoever looks at the run", &options->reason);
  AddServerOptions(hold, &options->common);
}

void AddJobRelease(CLI::App& job, Session& session) {
  const auto options = std::make_shared<ReleaseOptions>();
  CommandOptions release = AddCommand(job,
                                      session,
                                      "release",
                                      "Let a held run go on",
                                      "potok job release -n brave_river_1",
                                      options,
                                      RunRelease);
  release.RequiredText("-n,--name", "NAME", "Name of the run", &options->name);
  AddServerOptions(release, &options->common);
}

}  // namespace potok::client
