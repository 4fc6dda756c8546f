#include "client/cli/commands/asset_commands.h"

namespace potok::client {

void AddDataCommands(CLI::App& data, Session& session) {
  const auto options = std::make_shared<AssetCreateOptions>();
  options->source.kind = AssetKind::kData;
  options->fields = {{"type", ""}};
  options->paths = {{"path", ""}};
  CommandOptions create =
      AddAssetCreate(data,
                     session,
                     options,
                     "potok data create -n titanic -t uri_file -p ./titanic.csv",
                     /*file_is_required=*/false);
  create.Choice("-t,--type",
                {"uri_file", "uri_folder", "mltable"},
                "What it is (default: as the path)",
                &options->fields[0].second);
  create.Text("-p,--path",
              "PATH",
              "Local file or folder, or an azureml:// or https:// address",
              &options->paths[0].second);
  create.IgnoredText("--datastore", "NAME");
  create.IgnoredFlag("--skip-validation");
  AddAssetCommands(data, session, AssetKind::kData);
}

}  // namespace potok::client
