#include "client/cli/commands/command.h"
#include "client/cli/commands/show_run.h"
#include "client/cli/show/update_request.h"
#include "client/potok_client/runs_client.h"

namespace potok::client {
namespace {

struct UpdateOptions {
  CommonOptions common;
  std::string name;
  Assignments assignments;
};

int RunUpdate(Session& session, const UpdateOptions& options) {
  const Context& context = session.context;
  const absl::StatusOr<v1::UpdateRunRequest> request =
      UpdateRequest(options.name, options.assignments);
  if (!request.ok()) return Complain(context, request.status());
  const absl::StatusOr<Connection> connection = Connect(context, options.common);
  if (!connection.ok()) return Complain(context, connection.status());
  RunsClient runs(connection->channel());
  const absl::StatusOr<v1::Run> updated = runs.Update(*request);
  if (!updated.ok()) return Complain(context, updated.status());
  return ShowRun(context, options.common, *connection, options.name);
}

}  // namespace

void AddJobUpdate(CLI::App& job, Session& session) {
  const auto options = std::make_shared<UpdateOptions>();
  CommandOptions update = AddCommand(
      job,
      session,
      "update",
      "Change how a run is described: its names, description, tags and properties",
      "potok job update -n brave_river_1 --set display_name=\"wide net\" tags.team=vision --remove "
      "tags.draft",
      options,
      RunUpdate);
  update.RequiredText("-n,--name", "NAME", "Name of the run", &options->name);
  update.ManyTexts("--set",
                   "PATH=VALUE",
                   "display_name, description, experiment_name, tags.NAME or properties.NAME",
                   &options->assignments.set);
  update.ManyTexts("--add",
                   "PATH=VALUE",
                   "The same, for tags.NAME and properties.NAME",
                   &options->assignments.add);
  update.ManyTexts(
      "--remove", "PATH", "tags.NAME or properties.NAME that go", &options->assignments.remove);
  AddServerOptions(update, &options->common);
  AddOutputOptions(update, session, &options->common);
}

}  // namespace potok::client
