// YAML of what is registered: components, environments, data, models, datastores. One thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "client/frontend/azureml/assets.h"
#include "client/frontend/azureml/diagnostics.h"

namespace potok::client {

// What is sent to the registry.
struct AssetFile {
  AssetKind kind = AssetKind::kComponent;
  std::string name;
  std::string version;
  std::string description;
  std::string display_name;
  std::map<std::string, std::string> tags;
  std::map<std::string, std::string> properties;
  std::string document;  // docs/decisions/0022-registered-documents.md
};

// Stores what lies on this machine: code with what is merged into it, and data as it is. Called
// only for files without errors.
struct FileStore {
  std::function<absl::StatusOr<Artifact>(const LocalCode& code)> store_code;
  std::function<absl::StatusOr<Artifact>(const std::string& path)> store_data;
};

struct AssetOptions {
  // Changes of the file before it is read, as of a job (load.h).
  std::vector<std::string> set;
  Assets* assets = nullptr;  // must outlive the call
  FolderContent folder_content;
  FileStore files;
  bool skip_validation = false;  // of components: only what cannot be registered is an error
};

struct LoadedAsset {
  std::optional<AssetFile> asset;  // if nothing is wrong
  std::vector<Diagnostic> diagnostics;
  // Why something could not be stored; OK otherwise.
  absl::Status stored;
};

// Reads the file, or with an empty `file` what options.set says alone. What it names on this
// machine is stored and becomes potok-artifact:...; other files of YAML and conda are written into
// the document; what is registered gets its exact version. `kind` decides what the file may hold.
LoadedAsset LoadAsset(AssetKind kind, const std::string& file, const AssetOptions& options);

}  // namespace potok::client
