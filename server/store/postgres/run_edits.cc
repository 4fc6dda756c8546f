#include "server/store/postgres/run_edits.h"

#include <string>
#include <utility>

#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "server/journal/codec.h"
#include "server/store/postgres/rows.h"
#include "server/store/postgres/run_terms.h"
#include "server/store/postgres/transaction.h"

namespace potok::server {

namespace {

// Behind the columns of kSelectRuns.
constexpr int kArchivedColumn = 14;

// Edits of one run come one after the other; the projector waits for them no longer than this
// transaction takes.
const Statement kLockRun = {"lock run for edit",
                            "SELECT id FROM runs WHERE id = $1::bigint FOR NO KEY UPDATE"};
// A statement of its own: what waited for the lock would see the edit of before.
const Statement kReadRun = {"read run for edit",
                            std::string(kSelectEditedRuns) + " WHERE id = $1::bigint"};
const Statement kWriteEdit = {
    "write run edit",
    "INSERT INTO run_edits (run, archived, added) "
    "VALUES ($1::bigint, $2::integer <> 0, $3::bytea) "
    "ON CONFLICT (run) DO UPDATE SET archived = excluded.archived, added = excluded.added"};
const Statement kWriteExperiment = {
    "write experiment of edited run",
    "UPDATE runs SET experiment = $2::text WHERE id = $1::bigint AND experiment <> $2::text"};

}  // namespace

const char kSelectEditedRuns[] =
    "SELECT status, reason, created_us, started_us, ended_us, moved_us, revision, completed, "
    "failed, canceled, running, coalesce(run_edits.added, runs.added), coalesce((SELECT at_us FROM "
    "forgotten_runs f WHERE f.run = runs.id), 0), added_steps, "
    "coalesce(run_edits.archived, false)::integer "
    "FROM runs LEFT JOIN run_edits ON run_edits.run = runs.id";

absl::StatusOr<RunRow> EditedRunRowFrom(const PgResult& rows, int row) {
  POTOK_ASSIGN_OR_RETURN(RunRow run, RunRowFrom(rows, row));
  run.archived = rows.Int(row, kArchivedColumn) != 0;
  return run;
}

namespace {

// The row, locked until the transaction ends.
absl::StatusOr<RunRow> LockRun(PgConnection& connection, RunId id) {
  POTOK_ASSIGN_OR_RETURN(const PgResult locked, connection.Run(kLockRun, PgParams().Int64(id)));
  if (locked.rows() == 0) return absl::NotFoundError(fmt::format("there is no run number {}", id));
  POTOK_ASSIGN_OR_RETURN(const PgResult rows, connection.Run(kReadRun, PgParams().Int64(id)));
  return EditedRunRowFrom(rows, 0);
}

absl::Status WriteEdit(PgConnection& connection, RunId id, const RunRow& run) {
  PgParams params;
  params.Int64(id).Int32(run.archived ? 1 : 0).Bytes(EncodeRunAdded(run.added));
  POTOK_RETURN_IF_ERROR(connection.Run(kWriteEdit, params).status());
  PgParams experiment;
  experiment.Int64(id).Bytes(AsText(run.added.experiment_name));
  POTOK_RETURN_IF_ERROR(connection.Run(kWriteExperiment, experiment).status());
  return RewriteRunTerms(connection, run.added);
}

}  // namespace

absl::StatusOr<RunRow> EditRunIn(PgConnection& connection,
                                 RunId id,
                                 const std::function<absl::Status(RunRow&)>& edit) {
  RunRow run;
  const absl::Status status = InTransaction(connection, kReadWrite, [&]() -> absl::Status {
    POTOK_ASSIGN_OR_RETURN(run, LockRun(connection, id));
    POTOK_RETURN_IF_ERROR(edit(run));
    return WriteEdit(connection, id, run);
  });
  if (!status.ok()) return status;
  return run;
}

}  // namespace potok::server
