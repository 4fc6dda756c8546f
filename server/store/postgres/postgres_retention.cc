#include "server/store/postgres/postgres_retention.h"

#include <cstring>

#include "common/base/status_macros.h"
#include "server/journal/codec.h"
#include "server/store/postgres/rows.h"
#include "server/store/postgres/transaction.h"

namespace potok::server {

namespace {

// A spec may have megabytes.
constexpr int kSpecsAtOnce = 16;
constexpr int kRowsAtOnce = 5000;

const Statement kSpecsAfter = {
    "specs after",
    "SELECT sha256, size_bytes, spec FROM specs WHERE (sha256, size_bytes) > ($1::bytea, "
    "$2::bigint) ORDER BY sha256, size_bytes LIMIT $3::bigint"};
const Statement kRunsAfter = {
    "kept runs after",
    "SELECT id, ended_us, added FROM runs WHERE id > $1::bigint AND NOT EXISTS "
    "(SELECT FROM forgotten_runs f WHERE f.run = runs.id) ORDER BY id LIMIT $2::bigint"};
const Statement kStepsAfter = {
    "kept steps after",
    "SELECT run, index, state FROM steps WHERE (run, index) > ($1::bigint, $2::integer) "
    "AND NOT EXISTS (SELECT FROM forgotten_runs f WHERE f.run = steps.run) "
    "ORDER BY run, index LIMIT $3::bigint"};
// A page of assets with a row for each artifact, and one for an asset that names none.
const Statement kAssetsAfter = {
    "assets after",
    "SELECT a.id, coalesce(artifact, '') FROM (SELECT id, artifacts FROM assets WHERE id > "
    "$1::bigint ORDER BY id LIMIT $2::bigint) a LEFT JOIN LATERAL unnest(a.artifacts) artifact ON "
    "true ORDER BY a.id"};
const Statement kLoggedFilesAfter = {
    "kept logged files after",
    "SELECT sha256, size_bytes, run, holder, path FROM logged_artifacts l WHERE (holder, path) > "
    "($1::text, $2::text) AND NOT EXISTS (SELECT FROM forgotten_runs f WHERE f.run = l.run) "
    "ORDER BY holder, path LIMIT $3::bigint"};
const Statement kForgetResults = {"forget results",
                                  "DELETE FROM results WHERE run = ANY($1::bigint[])"};
const Statement kForget = {"forget runs",
                           "INSERT INTO forgotten_runs (run, at_us) "
                           "SELECT run, $2::bigint FROM unnest($1::bigint[]) AS run "
                           "ON CONFLICT (run) DO NOTHING"};
const Statement kForgotten = {
    "forgotten runs", "SELECT run FROM forgotten_runs WHERE run = ANY($1::bigint[]) ORDER BY run"};

absl::StatusOr<Digest> DigestFrom(const PgResult& rows, int row) {
  const std::string sha256 = rows.Bytes(row, 0);
  Digest digest;
  if (sha256.size() != digest.sha256.size()) {
    return absl::DataLossError("a stored digest is no SHA-256");
  }
  std::memcpy(digest.sha256.data(), sha256.data(), sha256.size());
  digest.size_bytes = rows.Int(row, 1);
  return digest;
}

}  // namespace

absl::Status PostgresRetention::ForEachSpec(
    const std::function<absl::Status(const Digest&, const std::string& spec)>& see) {
  POTOK_ASSIGN_OR_RETURN(const auto connection, PgConnection::Open(url_));
  Digest last;
  last.size_bytes = -1;
  while (true) {
    PgParams params;
    params.Bytes(Sha256Of(last)).Int64(last.size_bytes).Int64(kSpecsAtOnce);
    POTOK_ASSIGN_OR_RETURN(const PgResult rows, connection->Run(kSpecsAfter, params));
    if (rows.rows() == 0) return absl::OkStatus();
    for (int row = 0; row < rows.rows(); ++row) {
      POTOK_ASSIGN_OR_RETURN(last, DigestFrom(rows, row));
      POTOK_RETURN_IF_ERROR(see(last, rows.Bytes(row, 2)));
    }
  }
}

absl::Status PostgresRetention::ForEachRun(const std::function<absl::Status(const KeptRun&)>& see) {
  POTOK_ASSIGN_OR_RETURN(const auto connection, PgConnection::Open(url_));
  KeptRun run;
  while (true) {
    POTOK_ASSIGN_OR_RETURN(
        const PgResult rows,
        connection->Run(kRunsAfter, PgParams().Int64(run.id).Int64(kRowsAtOnce)));
    if (rows.rows() == 0) return absl::OkStatus();
    for (int row = 0; row < rows.rows(); ++row) {
      POTOK_ASSIGN_OR_RETURN(const RunAdded added, DecodeRunAdded(rows.Bytes(row, 2)));
      run = {rows.Int(row, 0), added.spec, rows.Int(row, 1)};
      POTOK_RETURN_IF_ERROR(see(run));
    }
  }
}

absl::Status PostgresRetention::ForEachStepState(
    const std::function<absl::Status(RunId, const std::string& state)>& see) {
  POTOK_ASSIGN_OR_RETURN(const auto connection, PgConnection::Open(url_));
  RunId run = 0;
  std::int64_t index = -1;
  while (true) {
    POTOK_ASSIGN_OR_RETURN(
        const PgResult rows,
        connection->Run(kStepsAfter, PgParams().Int64(run).Int32(index).Int64(kRowsAtOnce)));
    if (rows.rows() == 0) return absl::OkStatus();
    for (int row = 0; row < rows.rows(); ++row) {
      run = rows.Int(row, 0);
      index = rows.Int(row, 1);
      POTOK_RETURN_IF_ERROR(see(run, rows.Bytes(row, 2)));
    }
  }
}

absl::Status PostgresRetention::ForEachLoggedFile(
    const std::function<absl::Status(RunId, const Digest&)>& see) {
  POTOK_ASSIGN_OR_RETURN(const auto connection, PgConnection::Open(url_));
  std::string holder;
  std::string path;
  while (true) {
    PgParams params;
    params.Bytes(holder).Bytes(path).Int64(kRowsAtOnce);
    POTOK_ASSIGN_OR_RETURN(const PgResult rows, connection->Run(kLoggedFilesAfter, params));
    if (rows.rows() == 0) return absl::OkStatus();
    for (int row = 0; row < rows.rows(); ++row) {
      POTOK_ASSIGN_OR_RETURN(const Digest digest, DigestFrom(rows, row));
      holder = rows.Bytes(row, 3);
      path = rows.Bytes(row, 4);
      POTOK_RETURN_IF_ERROR(see(rows.Int(row, 2), digest));
    }
  }
}

absl::Status PostgresRetention::ForEachAsset(
    const std::function<absl::Status(const std::string& artifact)>& see) {
  POTOK_ASSIGN_OR_RETURN(const auto connection, PgConnection::Open(url_));
  std::int64_t last = 0;
  while (true) {
    POTOK_ASSIGN_OR_RETURN(
        const PgResult rows,
        connection->Run(kAssetsAfter, PgParams().Int64(last).Int64(kRowsAtOnce)));
    if (rows.rows() == 0) return absl::OkStatus();
    for (int row = 0; row < rows.rows(); ++row) {
      last = rows.Int(row, 0);
      const std::string artifact = rows.Bytes(row, 1);
      if (!artifact.empty()) POTOK_RETURN_IF_ERROR(see(artifact));
    }
  }
}

absl::Status PostgresRetention::Forget(const std::vector<RunId>& runs, absl::Time at) {
  if (runs.empty()) return absl::OkStatus();
  POTOK_ASSIGN_OR_RETURN(const auto connection, PgConnection::Open(url_));
  PgParams params;
  params.Int64s(runs);
  return InTransaction(*connection, kReadWrite, [&]() -> absl::Status {
    POTOK_RETURN_IF_ERROR(connection->Run(kForgetResults, params).status());
    params.Int64(absl::ToUnixMicros(at));
    return connection->Run(kForget, params).status();
  });
}

absl::StatusOr<std::vector<RunId>> PostgresRetention::Forgotten(const std::vector<RunId>& runs) {
  POTOK_ASSIGN_OR_RETURN(const auto connection, PgConnection::Open(url_));
  POTOK_ASSIGN_OR_RETURN(const PgResult rows, connection->Run(kForgotten, PgParams().Int64s(runs)));
  return FromRows(rows, [](const PgResult& all, int row) { return all.Int(row, 0); });
}

}  // namespace potok::server
