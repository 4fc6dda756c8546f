#include "server/store/postgres/migrations.h"

#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "server/store/postgres/run_terms.h"
#include "server/store/postgres/transaction.h"

namespace potok::server {

namespace {

// The key is a random number; it only has to be the same in every version. Released with the
// transaction.
constexpr char kPrepare[] = R"sql(
SELECT pg_advisory_xact_lock(7276314482);
CREATE TABLE IF NOT EXISTS schema_version (
  version integer PRIMARY KEY,
  applied_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE schema_version IS 'Migrations that were applied.')sql";

const Statement kReadVersion = {"read schema version",
                                "SELECT coalesce(max(version), 0) FROM schema_version"};
const Statement kWriteVersion = {"write schema version",
                                 "INSERT INTO schema_version (version) VALUES ($1::integer)"};

constexpr std::int64_t kVersionOfRunTerms = 2;
// What a later migration that wants the terms written again says.
constexpr char kFillsRunTerms[] = "(run_terms.h)";

bool FillsTerms(std::int64_t version, const std::string& sql) {
  return version == kVersionOfRunTerms || sql.find(kFillsRunTerms) != std::string::npos;
}

absl::Status MigrateInTransaction(PgConnection& connection) {
  POTOK_RETURN_IF_ERROR(connection.Execute(kPrepare));
  POTOK_ASSIGN_OR_RETURN(const PgResult version, connection.Run(kReadVersion));
  const std::int64_t found = version.Int(0, 0);
  const auto ours = static_cast<std::int64_t>(Migrations().size());
  if (found > ours) {
    return absl::FailedPreconditionError(
        fmt::format("the database has schema version {}, and this server knows versions up to {}: "
                    "a newer potok-server has used it; start that version or a later one",
                    found,
                    ours));
  }
  for (std::int64_t next = found; next < ours; ++next) {
    const std::string& sql = Migrations()[static_cast<std::size_t>(next)];
    POTOK_RETURN_IF_ERROR(connection.Execute(sql));
    if (FillsTerms(next + 1, sql)) POTOK_RETURN_IF_ERROR(FillRunTerms(connection));
    POTOK_RETURN_IF_ERROR(connection.Run(kWriteVersion, PgParams().Int32(next + 1)).status());
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Migrate(PgConnection& connection) {
  return InTransaction(connection, kReadWrite, [&] { return MigrateInTransaction(connection); });
}

}  // namespace potok::server
