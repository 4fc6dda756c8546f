// Names of registered things: components, environments, data, models. Pure.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace potok {

// What is registered. The numbers are stored (server/store/postgres) and sent.
enum class AssetKind {
  kComponent = 1,
  kEnvironment = 2,
  kData = 3,
  kModel = 4,
  kDatastore = 5,
};
// "component", "environment", "data", "model", "datastore".
const char* NameOf(AssetKind kind);

// One version of something registered, by its version or by a label that points at one.
struct AssetReference {
  std::string registry;  // of azureml://registries/REGISTRY/..., else empty
  std::string name;
  std::string version;  // empty: the label's
  std::string label;    // empty with a version; "latest" when neither was written
  // What the long forms say it is, if they do.
  std::optional<AssetKind> kind;
  bool operator==(const AssetReference&) const = default;
};

// The label that every name has: the version that was created last.
inline constexpr char kLatest[] = "latest";

// True for azureml:NAME..., azureml:/subscriptions/..., azureml://registries/... and
// azureml://...workspaces/W/{data,models,...}/..., and not for azureml://datastores/...,
// azureml://jobs/... and storage that Azure writes behind "azureml:" (azureml:wasbs://...).
bool IsRegistered(const std::string& text);

// Reads azureml:NAME:VERSION, azureml:NAME@LABEL, azureml:NAME, and the long forms, which end in
// KINDS/NAME, KINDS/NAME/versions/V or KINDS/NAME/labels/L. The version "latest" is the label.
// INVALID_ARGUMENT says what is wrong with anything else.
absl::StatusOr<AssetReference> ParseAssetReference(const std::string& text);

// "NAME:VERSION" or "NAME@LABEL".
std::string ToString(const AssetReference& reference);

// OK for 1 to 255 characters of [A-Za-z0-9_.-] that begin with a letter, digit or '_'; those of
// datastores have at most 64 and no dot. INVALID_ARGUMENT.
absl::Status CheckAssetName(AssetKind kind, const std::string& name);
// OK for 1 to 64 characters of [A-Za-z0-9_.-] but "latest". INVALID_ARGUMENT.
absl::Status CheckAssetVersion(const std::string& version);

}  // namespace potok
