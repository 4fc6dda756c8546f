// The rows of the journal. On the caller's connection; errors are those of PgConnection::Run.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/store/postgres/pg_connection.h"
#include "server/store/store.h"

namespace potok::server {

// A batch as its row.
struct JournalRow {
  std::int64_t revision = 0;
  std::string writer;
  std::string batch;       // encoded
  std::int64_t epoch = 0;  // of the ServerStarted in it, 0: none
};
JournalRow JournalRowOf(const Batch& batch);

// Adds the row behind the head. ALREADY_EXISTS, with nothing added, if its revision is not the one
// after the head's.
absl::Status AppendRow(PgConnection& connection, const JournalRow& row);

// Says who has a revision that could not be appended: OK if it is `row.writer`, else
// FAILED_PRECONDITION.
absl::Status CheckOurs(PgConnection& connection, const JournalRow& row);

// The batches after `revision` in order, at most `limit`. DATA_LOSS naming the row that cannot be
// decoded.
absl::StatusOr<std::vector<Batch>> ReadBatches(PgConnection& connection,
                                               std::int64_t revision,
                                               int limit);

absl::StatusOr<std::int64_t> ReadHighestEpoch(PgConnection& connection);

// Deletes some of the rows that were projected and are a day old, never the head. Returns how many;
// fewer than kPurgeRows: there are no more.
inline constexpr int kPurgeRows = 1000;
absl::StatusOr<std::int64_t> PurgeJournal(PgConnection& connection);

}  // namespace potok::server
