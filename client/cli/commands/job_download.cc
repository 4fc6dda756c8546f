#include <filesystem>

#include "client/cli/commands/command.h"
#include "client/cli/download.h"

namespace potok::client {
namespace {

struct JobDownloadOptions {
  CommonOptions common;
  DownloadOptions download;
};

int RunDownload(Session& session, const JobDownloadOptions& options) {
  const Context& context = session.context;
  const absl::StatusOr<Connection> connection = Connect(context, options.common);
  if (!connection.ok()) return Complain(context, connection.status());
  DownloadOptions download = options.download;
  download.folder =
      (std::filesystem::path(context.working_folder) / download.folder).lexically_normal().string();
  const absl::Status downloaded = Download(context, *connection, download);
  return downloaded.ok() ? kExitOk : Complain(context, downloaded);
}

}  // namespace

void AddJobDownload(CLI::App& job, Session& session) {
  const auto options = std::make_shared<JobDownloadOptions>();
  CommandOptions command =
      AddCommand(job,
                 session,
                 "download",
                 "Download artifacts and logs, or outputs",
                 "potok job download -n brave_river_1 --output-name model -p ./got",
                 options,
                 RunDownload);
  DownloadOptions& download = options->download;
  command.RequiredText("-n,--name", "NAME", "Name of the run", &download.run);
  command.Text("--output-name", "NAME", "Only this output; STEP.OUTPUT too", &download.output_name);
  command.Text(
      "-p,--download-path", "FOLDER", "Folder (default: the current one)", &download.folder);
  command.Flag("--all", "Artifacts, logs and all outputs", &download.all);
  command.Exclude("--all", "--output-name");
  command.Flag("--force", "Of a run that has not ended: what is there", &download.force);
  AddServerOptions(command, &options->common);
}

}  // namespace potok::client
