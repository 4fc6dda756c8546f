#include <filesystem>

#include "client/cli/commands/asset_commands.h"
#include "client/cli/submit.h"
#include "client/cli/text/printable.h"
#include "client/potok_client/artifacts_client.h"
#include "client/potok_client/registry_client.h"
#include "client/potok_client/upload.h"
#include "common/base/status_macros.h"
#include "common/cas/cas_client.h"
#include "common/rpc/pipeline_convert.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

struct DatastoreTransferOptions {
  CommonOptions common;
  std::string name;
  std::string local;   // of this machine
  std::string target;  // in the datastore
};

std::string UriIn(const std::string& datastore, const std::string& path) {
  return fmt::format("azureml://datastores/{}/paths/{}", datastore, path);
}

absl::Status UploadTo(const Context& context, const DatastoreTransferOptions& options) {
  const std::string local = AbsoluteOption(context, options.local);
  std::error_code error;
  if (!std::filesystem::exists(local, error)) {
    return absl::NotFoundError(fmt::format("{} does not exist", local));
  }
  std::filesystem::path leaf = std::filesystem::path(local).filename();
  if (leaf.empty()) leaf = std::filesystem::path(local).parent_path().filename();
  const std::string uri =
      UriIn(options.name, options.target.empty() ? leaf.string() : options.target);
  POTOK_ASSIGN_OR_RETURN(const Connection connection, Connect(context, options.common));
  POTOK_ASSIGN_OR_RETURN(const auto channel, ArtifactChannel(connection.channel()));
  CasClient cas(channel);
  POTOK_ASSIGN_OR_RETURN(const Artifact artifact, StorePath(local, StoreOver(context, cas)));
  RegistryClient registry(connection.channel());
  POTOK_RETURN_IF_ERROR(registry.Export(potok::ToProto(artifact), uri));
  *context.out << Printable(uri) << std::endl;
  return absl::OkStatus();
}

int RunDatastoreUpload(Session& session, const DatastoreTransferOptions& options) {
  const absl::Status uploaded = UploadTo(session.context, options);
  return uploaded.ok() ? kExitOk : Complain(session.context, uploaded);
}

absl::Status DownloadFrom(const Context& context, const DatastoreTransferOptions& options) {
  POTOK_ASSIGN_OR_RETURN(const Connection connection, Connect(context, options.common));
  POTOK_ASSIGN_OR_RETURN(
      const v1::Artifact artifact,
      RegistryClient(connection.channel()).Locate(UriIn(options.name, options.target)));
  std::filesystem::path leaf = std::filesystem::path(options.target).filename();
  if (leaf.empty()) leaf = std::filesystem::path(options.target).parent_path().filename();
  const std::string target = (std::filesystem::path(context.working_folder) / options.local / leaf)
                                 .lexically_normal()
                                 .string();
  if (std::filesystem::exists(std::filesystem::symlink_status(target))) {
    return absl::AlreadyExistsError(
        fmt::format("{} is there already and was left as it is; remove it, or choose another "
                    "folder with -p",
                    target));
  }
  POTOK_RETURN_IF_ERROR(FetchArtifact(context, connection, artifact, target));
  *context.out << "Downloaded " << Printable(target) << std::endl;
  return absl::OkStatus();
}

int RunDatastoreDownload(Session& session, const DatastoreTransferOptions& options) {
  const absl::Status downloaded = DownloadFrom(session.context, options);
  return downloaded.ok() ? kExitOk : Complain(session.context, downloaded);
}

}  // namespace

void AddDatastoreCommands(CLI::App& datastore, Session& session) {
  const auto options = std::make_shared<AssetCreateOptions>();
  options->source.kind = AssetKind::kDatastore;
  AddAssetCreate(datastore,
                 session,
                 options,
                 "potok datastore create -n team_data",
                 /*file_is_required=*/false);
  AddAssetCommands(datastore, session, AssetKind::kDatastore);

  const auto uploaded = std::make_shared<DatastoreTransferOptions>();
  CommandOptions upload = AddCommand(
      datastore,
      session,
      "upload",
      "Put a file or folder into a datastore, in the place of what is there",
      "potok datastore upload -n workspaceblobstore -p ./titanic.csv --target data/titanic.csv",
      uploaded,
      RunDatastoreUpload);
  upload.RequiredText("-n,--name", "NAME", "Name of the datastore", &uploaded->name);
  upload.RequiredText("-p,--path", "PATH", "File or folder of this machine", &uploaded->local);
  upload.Text("--target", "PATH", "Path in the datastore (default: its name)", &uploaded->target);
  AddServerOptions(upload, &uploaded->common);

  const auto downloaded = std::make_shared<DatastoreTransferOptions>();
  CommandOptions download =
      AddCommand(datastore,
                 session,
                 "download",
                 "Bring a file or folder of a datastore to this machine",
                 "potok datastore download -n workspaceblobstore --target results -p ./got",
                 downloaded,
                 RunDatastoreDownload);
  download.RequiredText("-n,--name", "NAME", "Name of the datastore", &downloaded->name);
  download.RequiredText("--target", "PATH", "Path in the datastore", &downloaded->target);
  download.Text(
      "-p,--download-path", "FOLDER", "Folder (default: the current one)", &downloaded->local);
  AddServerOptions(download, &downloaded->common);
}

}  // namespace potok::client
