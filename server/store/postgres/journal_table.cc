#include "server/store/postgres/journal_table.h"

#include <utility>

#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "server/journal/codec.h"

namespace potok::server {

namespace {

// The condition fences a server that slept so long that its next revision was written by another
// and has been purged since: no unique violation would tell it.
const Statement kAppend = {
    "append to journal",
    "INSERT INTO journal (revision, writer, batch, epoch) "
    "SELECT $1::bigint, $2::text, $3::bytea, $4::bigint "
    "WHERE coalesce((SELECT max(revision) FROM journal), 0) = $1::bigint - 1"};
const Statement kReadWriter = {"read journal writer",
                               "SELECT writer FROM journal WHERE revision = $1::bigint"};
const Statement kReadHead = {"read journal head", "SELECT coalesce(max(revision), 0) FROM journal"};
const Statement kReadBatches = {"read journal",
                                "SELECT revision, writer, batch FROM journal "
                                "WHERE revision > $1::bigint ORDER BY revision LIMIT $2::bigint"};
// Rows of the journal are purged, those of servers stay; the newest may not be projected yet.
const Statement kReadEpoch = {
    "read epoch",
    "SELECT greatest((SELECT max(epoch) FROM journal WHERE epoch IS NOT NULL), "
    "(SELECT max(epoch) FROM servers), 0)"};
const Statement kPurge = {"purge journal",
                          "DELETE FROM journal WHERE revision IN ("
                          "SELECT revision FROM ("
                          "SELECT revision, at FROM journal "
                          "WHERE revision < (SELECT projected_revision FROM projection) "
                          "ORDER BY revision LIMIT $1::bigint) AS oldest "
                          "WHERE at < now() - interval '24 hours')"};

}  // namespace

JournalRow JournalRowOf(const Batch& batch) {
  JournalRow row;
  row.revision = batch.revision;
  row.writer = batch.writer;
  row.batch = Encode(batch.changes);
  for (const Change& change : batch.changes) {
    if (const auto* started = std::get_if<ServerStarted>(&change)) row.epoch = started->epoch;
  }
  return row;
}

absl::Status AppendRow(PgConnection& connection, const JournalRow& row) {
  PgParams params;
  params.Int64(row.revision).Bytes(row.writer).Bytes(row.batch);
  if (row.epoch == 0) {
    params.Null();
  } else {
    params.Int64(row.epoch);
  }
  POTOK_ASSIGN_OR_RETURN(const PgResult result, connection.Run(kAppend, params));
  if (result.affected() == 1) return absl::OkStatus();
  return absl::AlreadyExistsError(
      fmt::format("revision {} is not the next one of the journal", row.revision));
}

absl::Status CheckOurs(PgConnection& connection, const JournalRow& row) {
  POTOK_ASSIGN_OR_RETURN(const PgResult found,
                         connection.Run(kReadWriter, PgParams().Int64(row.revision)));
  if (found.rows() == 1 && found.Bytes(0, 0) == row.writer) return absl::OkStatus();
  if (found.rows() == 1) {
    return absl::FailedPreconditionError(
        fmt::format("revision {} of the journal was written by another server ({}, we are {})",
                    row.revision,
                    found.Bytes(0, 0),
                    row.writer));
  }
  POTOK_ASSIGN_OR_RETURN(const PgResult head, connection.Run(kReadHead));
  return absl::FailedPreconditionError(
      fmt::format("the journal's head is revision {}, so {} cannot be the next: another server has "
                  "written, or the database was restored",
                  head.Int(0, 0),
                  row.revision));
}

absl::StatusOr<std::vector<Batch>> ReadBatches(PgConnection& connection,
                                               std::int64_t revision,
                                               int limit) {
  POTOK_ASSIGN_OR_RETURN(const PgResult rows,
                         connection.Run(kReadBatches, PgParams().Int64(revision).Int64(limit)));
  std::vector<Batch> batches;
  for (int row = 0; row < rows.rows(); ++row) {
    Batch batch;
    batch.revision = rows.Int(row, 0);
    batch.writer = rows.Bytes(row, 1);
    absl::StatusOr<std::vector<Change>> changes = Decode(rows.Bytes(row, 2));
    if (!changes.ok()) {
      return absl::DataLossError(
          fmt::format("cannot read revision {} of the journal, written by {}: {}. The row is "
                      "damaged or was written by a newer potok-server; start that version, or "
                      "restore the database from a backup",
                      batch.revision,
                      batch.writer,
                      std::string(changes.status().message())));
    }
    batch.changes = *std::move(changes);
    batches.push_back(std::move(batch));
  }
  return batches;
}

absl::StatusOr<std::int64_t> ReadHighestEpoch(PgConnection& connection) {
  POTOK_ASSIGN_OR_RETURN(const PgResult epoch, connection.Run(kReadEpoch));
  return epoch.Int(0, 0);
}

absl::StatusOr<std::int64_t> PurgeJournal(PgConnection& connection) {
  POTOK_ASSIGN_OR_RETURN(const PgResult purged,
                         connection.Run(kPurge, PgParams().Int64(kPurgeRows)));
  return purged.affected();
}

}  // namespace potok::server
