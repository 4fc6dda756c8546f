#include "client/cli/commands/asset_commands.h"

namespace potok::client {

void AddEnvironmentCommands(CLI::App& environment, Session& session) {
  const auto options = std::make_shared<AssetCreateOptions>();
  options->source.kind = AssetKind::kEnvironment;
  options->fields = {{"image", ""}, {"build.dockerfile_path", ""}, {"os_type", ""}};
  options->paths = {{"conda_file", ""}, {"build.path", ""}};
  CommandOptions create =
      AddAssetCreate(environment,
                     session,
                     options,
                     "potok environment create -n sklearn --image python:3.11 -c conda.yml",
                     /*file_is_required=*/false);
  create.Text("-i,--image", "IMAGE", "Image that it starts from", &options->fields[0].second);
  create.Text("-d,--dockerfile-path",
              "PATH",
              "In the build context (Dockerfile)",
              &options->fields[1].second);
  create.Text("--os-type", "NAME", "linux", &options->fields[2].second);
  create.Text("-c,--conda-file", "FILE", "Packages", &options->paths[0].second);
  create.Text("-b,--build-context",
              "FOLDER",
              "Folder with a Dockerfile, instead of an image",
              &options->paths[1].second);
  create.IgnoredText("--datastore", "NAME");
  AddAssetCommands(environment, session, AssetKind::kEnvironment);
}

}  // namespace potok::client
