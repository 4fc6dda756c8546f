// `job archive` and `job restore`.
#include "client/cli/commands/command.h"
#include "client/cli/text/printable.h"
#include "client/potok_client/runs_client.h"

namespace potok::client {
namespace {

struct ArchiveOptions {
  CommonOptions common;
  std::string name;
};

int Archived(Session& session,
             const ArchiveOptions& options,
             absl::StatusOr<v1::Run> (RunsClient::*call)(const std::string&),
             const char* done) {
  const Context& context = session.context;
  const absl::StatusOr<Connection> connection = Connect(context, options.common);
  if (!connection.ok()) return Complain(context, connection.status());
  RunsClient runs(connection->channel());
  const absl::StatusOr<v1::Run> run = (runs.*call)(options.name);
  if (!run.ok()) return Complain(context, run.status());
  if (!context.only_errors) *context.err << done << Printable(options.name) << std::endl;
  return kExitOk;
}

int RunArchive(Session& session, const ArchiveOptions& options) {
  return Archived(session, options, &RunsClient::Archive, "Archived the run ");
}

int RunRestore(Session& session, const ArchiveOptions& options) {
  return Archived(session, options, &RunsClient::Restore, "Restored the run ");
}

void AddOptions(CommandOptions command, const std::shared_ptr<ArchiveOptions>& options) {
  command.RequiredText("-n,--name", "NAME", "Name of the run", &options->name);
  AddServerOptions(command, &options->common);
}

}  // namespace

void AddJobArchive(CLI::App& job, Session& session) {
  const auto options = std::make_shared<ArchiveOptions>();
  AddOptions(AddCommand(job,
                        session,
                        "archive",
                        "Leave a run that has ended out of `job list`; nothing is deleted",
                        "potok job archive -n brave_river_1",
                        options,
                        RunArchive),
             options);
}

void AddJobRestore(CLI::App& job, Session& session) {
  const auto options = std::make_shared<ArchiveOptions>();
  AddOptions(AddCommand(job,
                        session,
                        "restore",
                        "Show an archived run in `job list` again",
                        "potok job restore -n brave_river_1",
                        options,
                        RunRestore),
             options);
}

}  // namespace potok::client
