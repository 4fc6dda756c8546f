// What a starting server reads of the tables.
#pragma once

#include "absl/status/statusor.h"
#include "server/store/postgres/pg_connection.h"
#include "server/store/store.h"

namespace potok::server {

// Everything that is live, of one moment: revision is what the tables show then. Machines come
// first, then the unfinished runs by id, then their steps by run and index.
absl::StatusOr<Loaded> ReadLive(PgConnection& connection);

}  // namespace potok::server
