// A transaction as a function call.
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "server/store/postgres/pg_connection.h"

namespace potok::server {

// How a transaction begins.
inline constexpr char kReadWrite[] = "BEGIN";
inline constexpr char kSnapshot[] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

// Runs `body` in one transaction and commits if it returns OK, rolls back otherwise. Errors are
// those of `body` and of PgConnection::Run; UNAVAILABLE from the commit itself means that its
// outcome is not known.
absl::Status InTransaction(PgConnection& connection,
                           const std::string& begin,
                           const std::function<absl::Status()>& body);

}  // namespace potok::server
