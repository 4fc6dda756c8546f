// The table run_terms: what runs are found by besides their columns.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "server/domain/change.h"
#include "server/store/postgres/pg_connection.h"
#include "server/store/store.h"

namespace potok::server {

// Inside a transaction. Idempotent.
absl::Status WriteRunTerms(PgConnection& connection, const std::vector<const RunAdded*>& runs);

// Inside the migration that makes the table: the terms of all runs that were there before.
absl::Status FillRunTerms(PgConnection& connection);

// The conditions on `runs` for the submitter and the tags of the filter; appends their parameters.
std::vector<std::string> TermConditions(const RunFilter& filter, PgParams* params);

}  // namespace potok::server
