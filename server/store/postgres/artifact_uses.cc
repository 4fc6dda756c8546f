#include "server/store/postgres/artifact_uses.h"

#include <algorithm>
#include <limits>
#include <string>

#include "common/base/status_macros.h"
#include "server/store/postgres/rows.h"
#include "server/store/postgres/transaction.h"

namespace potok::server {

namespace {

constexpr int kUsesMax = 1000;

const Statement kListRuns = {"list runs without uses",
                             "SELECT id FROM runs WHERE NOT has_uses AND ended_us <> 0 "
                             "ORDER BY id LIMIT $1::bigint"};
// Two who do this at the same time: the second finds it done.
const Statement kMark = {
    "mark run as having uses",
    "UPDATE runs SET has_uses = true WHERE id = $1::bigint AND NOT has_uses AND ended_us <> 0"};
const Statement kCopy = {"copy artifact uses",
                         "COPY artifact_uses (sha256, size_bytes, run, index, role, port) "
                         "FROM STDIN (FORMAT binary)"};
constexpr int kColumns = 6;
const Statement kFind = {
    "find artifact uses",
    "SELECT run, index, role, port FROM artifact_uses "
    "WHERE sha256 = $1::bytea AND size_bytes = $2::bigint AND role = ANY($3::smallint[]) "
    "AND run < $4::bigint ORDER BY run DESC, index LIMIT $5::bigint"};

}  // namespace

absl::StatusOr<std::vector<RunId>> ListRunsWithoutUsesIn(PgConnection& connection, int limit) {
  POTOK_ASSIGN_OR_RETURN(const PgResult rows, connection.Run(kListRuns, PgParams().Int64(limit)));
  return FromRows(rows, [](const PgResult& all, int row) { return all.Int(row, 0); });
}

absl::Status PutUsesIn(PgConnection& connection, RunId run, const std::vector<ArtifactUse>& uses) {
  return InTransaction(connection, kReadWrite, [&]() -> absl::Status {
    POTOK_ASSIGN_OR_RETURN(const PgResult marked, connection.Run(kMark, PgParams().Int64(run)));
    if (marked.affected() == 0 || uses.empty()) return absl::OkStatus();
    PgRows rows;
    for (const ArtifactUse& use : uses) {
      rows.BeginRow(kColumns);
      rows.Bytes(Sha256Of(use.digest)).Int64(use.digest.size_bytes).Int64(run).Int32(use.index);
      rows.Int16(static_cast<int>(use.role)).Bytes(AsText(use.port));
    }
    return connection.Copy(kCopy, rows);
  });
}

absl::StatusOr<std::vector<ArtifactUse>> FindUsesIn(PgConnection& connection,
                                                    const ArtifactUseFilter& filter) {
  std::vector<int> roles;
  for (const ArtifactRole role : filter.roles) roles.push_back(static_cast<int>(role));
  PgParams params;
  params.Bytes(Sha256Of(filter.digest)).Int64(filter.digest.size_bytes).Int16s(roles);
  params.Int64(filter.before_run == 0 ? std::numeric_limits<std::int64_t>::max()
                                      : filter.before_run);
  params.Int64(std::clamp(filter.limit, 0, kUsesMax));
  POTOK_ASSIGN_OR_RETURN(const PgResult rows, connection.Run(kFind, params));
  return FromRows(rows, [&filter](const PgResult& all, int row) {
    return ArtifactUse{filter.digest,
                       all.Int(row, 0),
                       static_cast<std::uint32_t>(all.Int(row, 1)),
                       static_cast<ArtifactRole>(all.Int(row, 2)),
                       all.Bytes(row, 3)};
  });
}

}  // namespace potok::server
