#include "client/cli/commands/asset_commands.h"

namespace potok::client {

void AddComponentCommands(CLI::App& component, Session& session) {
  const auto options = std::make_shared<AssetCreateOptions>();
  options->source.kind = AssetKind::kComponent;
  CommandOptions create = AddAssetCreate(component,
                                         session,
                                         options,
                                         "potok component create -f train.yml",
                                         /*file_is_required=*/true);
  create.Flag(
      "--skip-validation", "Register it though it is not valid", &options->source.skip_validation);
  AddAssetCommands(component, session, AssetKind::kComponent);
}

}  // namespace potok::client
