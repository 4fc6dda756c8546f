// The RetentionStore on PostgreSQL: reads in pages, so that no table is in memory whole.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "server/store/postgres/pg_connection.h"
#include "server/store/retention_store.h"

namespace potok::server {

class PostgresRetention final : public RetentionStore {
 public:
  explicit PostgresRetention(std::string url) : url_(std::move(url)) {}

  absl::Status ForEachSpec(
      const std::function<absl::Status(const Digest&, const std::string& spec)>& see) override;
  absl::Status ForEachRun(const std::function<absl::Status(const KeptRun&)>& see) override;
  absl::Status ForEachStepState(
      const std::function<absl::Status(RunId, const std::string& state)>& see) override;
  absl::Status ForEachLoggedFile(
      const std::function<absl::Status(RunId, const Digest&)>& see) override;
  absl::Status ForEachAsset(
      const std::function<absl::Status(const std::string& artifact)>& see) override;
  absl::Status Forget(const std::vector<RunId>& runs, absl::Time at) override;
  absl::StatusOr<std::vector<RunId>> Forgotten(const std::vector<RunId>& runs) override;

 private:
  const std::string url_;
};

}  // namespace potok::server
