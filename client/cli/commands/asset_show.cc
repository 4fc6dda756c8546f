#include "client/cli/commands/asset_group.h"

namespace potok::client {
namespace {

int RunAssetShow(Session& session, const AssetOptionsOfOne& options) {
  const Context& context = session.context;
  const absl::StatusOr<Connection> connection = Connect(context, options.common);
  if (!connection.ok()) return Complain(context, connection.status());
  const absl::StatusOr<v1::Asset> asset = FindAssetOf(*connection, options);
  if (!asset.ok()) return Complain(context, asset.status());
  return PrintAsset(context, options.common, *asset);
}

}  // namespace

void AddAssetShow(const AssetGroup& group) {
  const auto options = std::make_shared<AssetOptionsOfOne>();
  options->kind = group.kind;
  CommandOptions show = AddCommand(group.app,
                                   group.session,
                                   "show",
                                   "One version: what it holds, who made it and when",
                                   group.Example("show -n my_" + group.noun + " --label latest"),
                                   options,
                                   RunAssetShow);
  AddChoiceOptions(show, "Version (default: the latest)", options.get());
  AddRegistryOptions(show, &options->common);
  AddOutputOptions(show, group.session, &options->common);
}

}  // namespace potok::client
