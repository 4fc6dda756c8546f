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
  DownloadOptions& download = options->download;
  CLI::App* command = AddCommand(job,
                                 session,
                                 "download",
                                 "Download artifacts and logs, or outputs",
                                 "potok job download -n brave_river_1 --output-name model -p ./got",
                                 options,
                                 RunDownload);
  command->add_option("-n,--name", download.run, "Name of the run")->required()->type_name("NAME");
  CLI::Option* output =
      command
          ->add_option("--output-name", download.output_name, "Only this output; STEP.OUTPUT too")
          ->type_name("NAME");
  command->add_option("-p,--download-path", download.folder, "Folder (default: the current one)")
      ->type_name("FOLDER");
  command->add_flag("--all", download.all, "Artifacts, logs and all outputs")->excludes(output);
  command->add_flag("--force", download.force, "Of a run that has not ended: what is there");
  AddServerOptions(command, &options->common);
}

}  // namespace potok::client
