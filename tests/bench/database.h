// What PostgreSQL alone can do with the rows of a workload: the limits of the durable core. Through
// libpq, in a schema of its own in the stack's database, which Open makes anew. One thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/store/postgres/pg_connection.h"
#include "tests/bench/contest.h"

namespace potok::bench {

class Database {
 public:
  static absl::StatusOr<std::unique_ptr<Database>> Open(const std::string& url);

  // The rows of `steps` steps as Potok's tables hold them: an INSERT as they are placed, an UPDATE
  // as they end, of unnested arrays, 1,000 rows a commit, halved over two connections.
  absl::StatusOr<Measure> WriteSteps(int steps);
  // Two UPDATEs of a row of five columns with no index but the key, likewise.
  absl::StatusOr<Measure> UpdateNarrowRows(int steps);
  // Commits of one small row, one after the other, in us each.
  absl::StatusOr<std::vector<double>> Commit(int count);
  // A binary COPY of one row for each step (run, index, name, text of upstreams, spec), one commit.
  struct PlannedStep {
    std::string name;
    std::string upstreams;
    std::string spec;
  };
  absl::StatusOr<Measure> CopyPlan(const std::vector<PlannedStep>& plan);

 private:
  explicit Database(std::string url) : url_(std::move(url)) {}
  absl::Status Execute(const std::string& sql);

  const std::string url_;
  std::unique_ptr<server::PgConnection> connection_;
};

}  // namespace potok::bench
