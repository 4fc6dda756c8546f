#include "client/cli/commands/asset_commands.h"

#include "client/cli/commands/asset_group.h"
#include "client/cli/show/asset_object.h"

namespace potok::client {

v1::AssetKind WireKind(AssetKind kind) {
  return static_cast<v1::AssetKind>(kind);
}

absl::StatusOr<v1::Asset> FindAssetOf(const Connection& connection,
                                      const AssetOptionsOfOne& options) {
  v1::GetAssetRequest request;
  request.set_kind(WireKind(options.kind));
  request.set_name(options.name);
  request.set_version(options.version);
  request.set_label(options.label);
  return RegistryClient(connection.channel()).Get(request);
}

int PrintAsset(const Context& context, const CommonOptions& options, const v1::Asset& asset) {
  return PrintObject(context, options, DefaultOutput::kJsonUnlessTerminal, AssetObject(asset), [&] {
    return AssetText(asset, context.zone);
  });
}

void AddRegistryOptions(CommandOptions& command, CommonOptions* options) {
  AddServerOptions(command, options);
  command.IgnoredText("--registry-name", "NAME");
}

void AddChoiceOptions(CommandOptions& command, const char* versions, AssetOptionsOfOne* options) {
  command.RequiredText("-n,--name", "NAME", "Name", &options->name);
  command.Text("-v,--version", "VERSION", versions, &options->version);
  command.Text("-l,--label", "LABEL", "The version that this label is at", &options->label);
  command.Exclude("--version", "--label");
}

void AddAssetCommands(CLI::App& app, Session& session, AssetKind kind) {
  const AssetGroup group{app, session, kind, NameOf(kind)};
  AddAssetList(group);
  AddAssetShow(group);
  AddAssetUpdate(group);
  AddArchiveAndRestore(group);
  if (kind != AssetKind::kDatastore) AddAssetDownload(group);
}

}  // namespace potok::client
