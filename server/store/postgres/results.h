// The table of results: what completed steps offer to equal ones. Errors are those of
// PgConnection::Run.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/store/postgres/pg_connection.h"
#include "server/store/store.h"

namespace potok::server {

// What these moves offer; of two for one fingerprint the later stays. On the caller's connection
// and transaction.
absl::Status WriteResults(PgConnection& connection, const std::vector<const StepMoved*>& offers);

// PrefixOf every fingerprint in the table. In a transaction of the caller.
absl::StatusOr<std::vector<std::uint64_t>> ReadOffered(PgConnection& connection);

}  // namespace potok::server
