// Queries on a small pool of connections.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/runtime/mutex.h"
#include "server/store/postgres/pg_connection.h"
#include "server/store/store.h"

namespace potok::server {

class PostgresReader final : public Reader {
 public:
  explicit PostgresReader(std::string url) : url_(std::move(url)) {}

  absl::Status PutSpec(const Digest& digest, const std::string& spec) override;
  absl::StatusOr<std::string> GetSpec(const Digest& digest) override;
  absl::StatusOr<RunRow> GetRun(const std::string& name) override;
  absl::StatusOr<RunRow> GetRunById(RunId id) override;
  absl::StatusOr<std::vector<StepRow>> GetSteps(RunId run, std::int64_t after_revision) override;
  absl::StatusOr<std::vector<RunRow>> ListRuns(const RunFilter& filter) override;
  absl::StatusOr<std::vector<MachineChanged>> ListMachines() override;
  // results.cc
  absl::StatusOr<std::vector<FoundResult>> FindResults(
      const std::vector<Fingerprint>& fingerprints) override;
  absl::StatusOr<std::vector<FoundResult>> ResultsOfRun(RunId run) override;
  absl::StatusOr<std::vector<FoundResult>> ResultsOfKin(std::uint64_t kin,
                                                        std::int64_t before_us,
                                                        int limit) override;

 private:
  // Runs one statement on a connection of the pool, waiting for one; once more on a new connection
  // if the pooled one was lost, which is harmless because all statements here can be repeated.
  absl::StatusOr<PgResult> Query(const Statement& statement, const PgParams& params);
  absl::StatusOr<std::vector<RunRow>> QueryRuns(const Statement& statement, const PgParams& params);
  absl::StatusOr<std::vector<FoundResult>> QueryResults(const Statement& statement,
                                                        const PgParams& params);

  // Null: no idle connection, but one may be opened.
  std::unique_ptr<PgConnection> Take();
  void Return(std::unique_ptr<PgConnection> connection);

  const std::string url_;
  Mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<PgConnection>> idle_ ABSL_GUARDED_BY(mutex_);
  int taken_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace potok::server
