// What is registered, in memory, with the semantics of the store on PostgreSQL
// (tests/server/store/asset_store_test.cc runs the same cases over both). Thread-safe.
#pragma once

#include <mutex>
#include <tuple>

#include "server/store/assets.h"

namespace potok::server {

class FakeAssetStore final : public AssetStore {
 public:
  absl::StatusOr<AssetRow> Insert(AssetRow row) override;
  absl::StatusOr<AssetRow> Get(AssetKind kind,
                               const std::string& name,
                               const std::string& version) override;
  absl::StatusOr<AssetRow> GetByLabel(AssetKind kind,
                                      const std::string& name,
                                      const std::string& label) override;
  absl::StatusOr<std::vector<AssetRow>> List(const AssetFilter& filter) override;
  absl::StatusOr<AssetRow> Update(AssetKind kind,
                                  const std::string& name,
                                  const std::string& version,
                                  const AssetChange& change) override;
  absl::Status SetLabel(AssetKind kind,
                        const std::string& name,
                        const std::string& label,
                        const std::optional<std::string>& version) override;
  absl::StatusOr<int> SetArchived(AssetKind kind,
                                  const std::string& name,
                                  const std::optional<std::string>& version,
                                  bool archived,
                                  std::int64_t now_us) override;

 private:
  // Null: none. All of these with the lock held.
  AssetRow* Find(AssetKind kind, const std::string& name, const std::string& version);
  AssetRow* Latest(AssetKind kind, const std::string& name);
  AssetRow WithLabels(const AssetRow& row);

  std::mutex mutex_;
  std::vector<AssetRow> rows_;
  std::map<std::tuple<AssetKind, std::string, std::string>, std::string> labels_;
};

}  // namespace potok::server
