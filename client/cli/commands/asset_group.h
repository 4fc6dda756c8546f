// What the commands on registered things share: component, environment, data, model and datastore
// have them alike.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "client/cli/commands/command.h"
#include "client/potok_client/registry_client.h"
#include "common/pipeline/asset_reference.h"

namespace potok::client {

// One version of one kind.
struct AssetOptionsOfOne {
  CommonOptions common;
  AssetKind kind = AssetKind::kComponent;
  std::string name;
  std::string version;
  std::string label;
};

struct AssetGroup {
  CLI::App& app;
  Session& session;
  AssetKind kind;
  std::string noun;

  std::string Example(const std::string& words) const { return "potok " + noun + " " + words; }
};

v1::AssetKind WireKind(AssetKind kind);
// The version that `options` choose.
absl::StatusOr<v1::Asset> FindAssetOf(const Connection& connection,
                                      const AssetOptionsOfOne& options);
// As text on a terminal, else as JSON; the exit code.
int PrintAsset(const Context& context, const CommonOptions& options, const v1::Asset& asset);

// Server and output of it, and what Azure's has for its registries.
void AddRegistryOptions(CommandOptions& command, CommonOptions* options);
// -n, -v and -l. What `options` points to must outlive the parser.
void AddChoiceOptions(CommandOptions& command, const char* versions, AssetOptionsOfOne* options);

// Each adds its command, or two, to the group.
void AddAssetList(const AssetGroup& group);
void AddAssetShow(const AssetGroup& group);
void AddAssetUpdate(const AssetGroup& group);
void AddArchiveAndRestore(const AssetGroup& group);
void AddAssetDownload(const AssetGroup& group);

}  // namespace potok::client
