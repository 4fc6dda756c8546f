// What the groups component, environment, data, model and datastore have in common.
#pragma once

#include <string>
#include <vector>

#include "client/cli/commands/command.h"
#include "client/cli/register_asset.h"

namespace potok::client {

struct AssetCreateOptions {
  CommonOptions common;
  AssetSource source;
  std::string name;
  std::string version;
  std::string description;
  std::vector<std::string> tags;  // KEY=VALUE
  std::vector<std::string> set;
  // Further fields of the file by their names: "type", "image"; and such that are paths.
  std::vector<std::pair<std::string, std::string>> fields;
  std::vector<std::pair<std::string, std::string>> paths;
};

// Adds NOUN create. `file_is_required`: there are no options that say it all.
// Options for fields are added by the caller to what is returned; fields of `options` must have
// their final number first, since they are read into in place.
CommandOptions AddAssetCreate(CLI::App& group,
                              Session& session,
                              const std::shared_ptr<AssetCreateOptions>& options,
                              const char* example,
                              bool file_is_required);

// Adds list, show, update, archive, restore and, where there is something to bring, download.
void AddAssetCommands(CLI::App& app, Session& session, AssetKind kind);

}  // namespace potok::client
