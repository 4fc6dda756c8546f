// Queries on a small pool of connections.
#pragma once

#include <string>
#include <vector>

#include "server/store/postgres/connection_pool.h"
#include "server/store/store.h"

namespace potok::server {

class PostgresReader final : public Reader {
 public:
  explicit PostgresReader(std::string url) : pool_(std::move(url)) {}

  absl::Status PutSpec(const Digest& digest, const std::string& spec) override;
  absl::StatusOr<std::string> GetSpec(const Digest& digest) override;
  absl::StatusOr<RunRow> GetRun(const std::string& name) override;
  absl::StatusOr<RunRow> GetRunById(RunId id) override;
  absl::StatusOr<std::vector<StepRow>> GetSteps(RunId run, std::int64_t after_revision) override;
  absl::StatusOr<std::vector<StepsAdded>> GetAddedSteps(RunId run, std::uint32_t from) override;
  absl::StatusOr<std::vector<RunRow>> ListRuns(const RunFilter& filter) override;
  absl::StatusOr<std::vector<MachineChanged>> ListMachines() override;
  // results.cc
  absl::StatusOr<std::vector<FoundResult>> FindResults(
      const std::vector<Fingerprint>& fingerprints) override;
  absl::StatusOr<std::vector<FoundResult>> ResultsOfRun(RunId run) override;
  absl::StatusOr<std::vector<FoundResult>> ResultsOfKin(std::uint64_t kin,
                                                        std::int64_t before_us,
                                                        int limit) override;
  absl::StatusOr<RunRow> EditRun(RunId id,
                                 const std::function<absl::Status(RunRow&)>& edit) override;
  absl::StatusOr<std::vector<RunId>> ListRunsWithoutUses(int limit) override;
  absl::Status PutUses(RunId run, const std::vector<ArtifactUse>& uses) override;
  absl::StatusOr<std::vector<ArtifactUse>> FindUses(const ArtifactUseFilter& filter) override;

 private:
  absl::StatusOr<PgResult> Query(const Statement& statement, const PgParams& params) {
    return pool_.Query(statement, params);
  }
  absl::StatusOr<std::vector<RunRow>> QueryRuns(const Statement& statement, const PgParams& params);
  absl::StatusOr<std::vector<FoundResult>> QueryResults(const Statement& statement,
                                                        const PgParams& params);

  ConnectionPool pool_;
};

}  // namespace potok::server
