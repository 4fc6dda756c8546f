#include "client/frontend/azureml/assets.h"

#include "client/frontend/azureml/reading.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::client {

namespace {

absl::StatusOr<AssetDocument> AskFor(AssetKind kind, const std::string& text, Assets* assets) {
  POTOK_ASSIGN_OR_RETURN(const AssetReference reference, ParseAssetReference(text));
  if (assets == nullptr) {
    return absl::FailedPreconditionError(
        fmt::format("'{}' is registered on a server, and none is asked here", text));
  }
  return assets->Find(kind, reference);
}

}  // namespace

const absl::StatusOr<AssetDocument>& FindAsset(AssetKind kind,
                                               const std::string& text,
                                               Reading* reading) {
  const auto key = std::make_pair(kind, text);
  auto found = reading->found_assets.find(key);
  if (found == reading->found_assets.end()) {
    found = reading->found_assets.emplace(key, AskFor(kind, text, reading->assets)).first;
  }
  return found->second;
}

}  // namespace potok::client
