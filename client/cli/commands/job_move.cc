#include "absl/strings/numbers.h"
#include "client/cli/commands/command.h"
#include "client/cli/text/printable.h"
#include "client/potok_client/runs_client.h"

namespace potok::client {
namespace {

struct MoveOptions {
  CommonOptions common;
  std::string name;
  std::string priority;
  std::string compute;
};

// What the server is asked; INVALID_ARGUMENT for a priority that is no number.
absl::StatusOr<v1::MoveRunRequest> MoveRequestOf(const MoveOptions& options) {
  v1::MoveRunRequest request;
  request.set_name(options.name);
  if (!options.compute.empty()) request.set_compute(options.compute);
  if (options.priority.empty()) return request;
  std::int32_t priority = 0;
  if (!absl::SimpleAtoi(options.priority, &priority)) {
    return absl::InvalidArgumentError("--priority '" + options.priority +
                                      "' is no priority; write a whole number from -1000 to 1000");
  }
  request.set_priority(priority);
  return request;
}

int RunMove(Session& session, const MoveOptions& options) {
  const Context& context = session.context;
  const absl::StatusOr<v1::MoveRunRequest> request = MoveRequestOf(options);
  if (!request.ok()) return Complain(context, request.status());
  const absl::StatusOr<Connection> connection = Connect(context, options.common);
  if (!connection.ok()) return Complain(context, connection.status());
  RunsClient runs(connection->channel());
  const absl::Status moved = runs.Move(*request);
  if (!moved.ok()) return Complain(context, moved);
  *context.err << "Moved what has not begun of the run " << Printable(options.name);
  if (request->has_priority()) *context.err << " to priority " << request->priority();
  if (request->has_priority() && request->has_compute()) *context.err << " and";
  if (request->has_compute()) *context.err << " to compute " << Printable(request->compute());
  *context.err << std::endl;
  return kExitOk;
}

}  // namespace

void AddJobMove(CLI::App& job, Session& session) {
  const auto options = std::make_shared<MoveOptions>();
  CommandOptions move = AddCommand(job,
                                   session,
                                   "move",
                                   "Give what has not begun of a run another priority or compute",
                                   "potok job move -n brave_river_1 --priority 500",
                                   options,
                                   RunMove);
  move.RequiredText("-n,--name", "NAME", "Name of the run", &options->name);
  move.Text("--priority", "N", "-1000 to 1000; what is higher is placed first", &options->priority);
  move.Text("--compute", "POOL", "Pool of machines; default: the default pool", &options->compute);
  AddServerOptions(move, &options->common);
}

}  // namespace potok::client
