// The writing half of what steps log: many calls in one transaction, one statement for each table.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "server/store/postgres/pg_connection.h"
#include "server/store/tracking_store.h"

namespace potok::server {

// Inside a transaction. What a call that is refused logs is left out. Errors are those of
// PgConnection::Run.
absl::StatusOr<std::vector<TrackedWritten>> WriteTracked(PgConnection& connection,
                                                         const std::vector<TrackedWrite>& writes);

}  // namespace potok::server
