// A registry in memory, for the reader's tests.
#pragma once

#include <map>
#include <string>
#include <tuple>

#include "client/frontend/azureml/assets.h"
#include "fmt/format.h"

namespace potok::client {

class FakeAssets final : public Assets {
 public:
  // The one added last is the latest of its name.
  void Add(AssetKind kind, const std::string& name, const std::string& version, std::string text) {
    documents_[{kind, name + ":" + version}] = {name, version, text};
    documents_[{kind, name + "@latest"}] = {name, version, std::move(text)};
  }

  absl::StatusOr<AssetDocument> Find(AssetKind kind, const AssetReference& reference) override {
    ++asked;
    if (!reachable) return absl::UnavailableError("no server answers");
    const auto found = documents_.find({kind, ToString(reference)});
    if (found != documents_.end()) return found->second;
    return absl::NotFoundError(
        fmt::format("{} '{}' is not registered", NameOf(kind), ToString(reference)));
  }

  int asked = 0;
  bool reachable = true;

 private:
  std::map<std::pair<AssetKind, std::string>, AssetDocument> documents_;
};

}  // namespace potok::client
