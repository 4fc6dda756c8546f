// Claims in the turn's transaction.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/store/postgres/pg_connection.h"
#include "server/store/store.h"

namespace potok::server {

// Makes those claims that are free, in the transaction that is open on `connection`. For each claim
// in order: nothing if it is now ours, else its holder's value; of two equal ones the first wins.
// Waits for another transaction that is making the same claim.
absl::StatusOr<std::vector<std::optional<std::string>>> MakeClaims(
    PgConnection& connection, const std::vector<Claim>& claims);

}  // namespace potok::server
