// The table run_edits: runs as users have described them since.
#pragma once

#include <functional>

#include "absl/status/statusor.h"
#include "server/store/postgres/pg_connection.h"
#include "server/store/store.h"

namespace potok::server {

// "SELECT ... FROM runs" with what was edited, for EditedRunRowFrom.
extern const char kSelectEditedRuns[];
absl::StatusOr<RunRow> EditedRunRowFrom(const PgResult& rows, int row);

// Reader::EditRun on `connection`, in a transaction of its own. Errors of `edit` and those of
// PgConnection::Run; NOT_FOUND.
absl::StatusOr<RunRow> EditRunIn(PgConnection& connection,
                                 RunId id,
                                 const std::function<absl::Status(RunRow&)>& edit);

}  // namespace potok::server
