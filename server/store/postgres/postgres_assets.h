// What is registered, in PostgreSQL.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "server/store/assets.h"
#include "server/store/postgres/connection_pool.h"

namespace potok::server {

class PostgresAssets final : public AssetStore {
 public:
  explicit PostgresAssets(std::string url) : pool_(std::move(url)) {}

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
  // The rows that a statement selects, with their tags, labels and so on.
  absl::StatusOr<std::vector<AssetRow>> Rows(const Statement& statement, const PgParams& params);
  // The only one, or NOT_FOUND.
  absl::StatusOr<AssetRow> Row(const Statement& statement, const PgParams& params);
  absl::Status AddDetails(std::vector<AssetRow>& rows);

  ConnectionPool pool_;
};

}  // namespace potok::server
