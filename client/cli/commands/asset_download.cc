#include <filesystem>

#include "client/cli/commands/asset_group.h"
#include "client/cli/register_asset.h"
#include "client/cli/text/printable.h"
#include "common/base/status_macros.h"

namespace potok::client {
namespace {

struct AssetDownloadOptions : AssetOptionsOfOne {
  std::string folder;
};

absl::Status DownloadOne(const Context& context, const AssetDownloadOptions& options) {
  POTOK_ASSIGN_OR_RETURN(const Connection connection, Connect(context, options.common));
  POTOK_ASSIGN_OR_RETURN(const v1::Asset asset, FindAssetOf(connection, options));
  const std::string target =
      (std::filesystem::path(context.working_folder) / options.folder / asset.name())
          .lexically_normal()
          .string();
  POTOK_RETURN_IF_ERROR(DownloadAsset(context, connection, asset, target));
  *context.out << "Downloaded " << Printable(target) << std::endl;
  return absl::OkStatus();
}

int RunAssetDownload(Session& session, const AssetDownloadOptions& options) {
  const absl::Status downloaded = DownloadOne(session.context, options);
  return downloaded.ok() ? kExitOk : Complain(session.context, downloaded);
}

}  // namespace

void AddAssetDownload(const AssetGroup& group) {
  const auto options = std::make_shared<AssetDownloadOptions>();
  options->kind = group.kind;
  const bool is_data = group.kind == AssetKind::kData || group.kind == AssetKind::kModel;
  CommandOptions download =
      AddCommand(group.app,
                 group.session,
                 "download",
                 is_data ? "Bring a version's files to this machine, into a folder of its name"
                         : "Bring a version to this machine as YAML, with the files it names",
                 group.Example("download -n my_" + group.noun + " -v 1 -p ./got"),
                 options,
                 RunAssetDownload);
  AddChoiceOptions(download, "Version (default: the latest)", options.get());
  download.Text(
      "-p,--download-path", "FOLDER", "Folder (default: the current one)", &options->folder);
  AddRegistryOptions(download, &options->common);
}

}  // namespace potok::client
