// The schema's versions.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "server/store/postgres/pg_connection.h"

namespace potok::server {

// The texts of migrations/*.sql in order; the first makes version 1. Compiled in.
const std::vector<std::string>& Migrations();

// Brings the schema to our version in one transaction, one server at a time. FAILED_PRECONDITION if
// it is newer.
absl::Status Migrate(PgConnection& connection);

}  // namespace potok::server
